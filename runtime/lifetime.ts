// A process's life: starts, says so, stops once on SIGTERM or SIGINT, and ends with 0; ends with 1 on a start that failed or
// a fault nobody caught. The only place that ends a process, and the only one that reads its environment.
import { type Config, readConfig } from './config.ts'
import { createLog, describeError, type Log } from './log.ts'

export interface Running {
  stop(): Promise<void>
}

/** A stop that takes longer than this is cut. */
const stopMaxMs = 70_000
/** A log that cannot be written (its file, its disk) does not keep a process from ending. */
const flushMaxMs = 2_000

/** Runs a process's main. `start` gets the checked configuration and the log. */
export async function runProcess(
  start: (config: Config, log: Log) => Promise<Running>,
  fallbacks: Readonly<Record<string, string>> = {},
): Promise<void> {
  const config = orEnd(() => readConfig({ ...fallbacks, ...process.env }))
  const log = orEnd(() => openLog(config))
  const end = (status: number): void => {
    setTimeout(() => process.exit(status), flushMaxMs)
    log.flush(() => process.exit(status))
  }
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, error => {
      if (error instanceof ProcessEnd) return endKnown(error)
      process.stderr.write(`a fault nobody caught; the process ends: ${describeError(error).message}\n`)
      log.fatal({ event: 'fault', error: describeError(error) }, 'a fault nobody caught; the process ends')
      end(1)
      return undefined
    })
  }
  function endKnown({ cause }: ProcessEnd): void {
    const error = describeError(cause)
    process.stderr.write(`the process ends: ${error.message}\n`)
    log.fatal({ event: 'process-end', error }, 'the process ends')
    end(1)
  }
  try {
    const running = await start(config, log)
    stopOnce(running, log, end)
  } catch (error) {
    log.fatal({ event: 'start-failed', error: describeError(error) })
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    end(1)
  }
}

/** For a fault that its part cannot live with, wherever it comes up: the process ends, with its message and status 1. */
export function endProcess(error: unknown): void {
  setImmediate(() => {
    throw new ProcessEnd('a part cannot go on', { cause: error })
  })
}

class ProcessEnd extends Error {}

const openLog = ({ logLevel, instance, logFile }: Config): Log =>
  createLog({ level: logLevel, instance, ...(logFile === undefined ? {} : { file: logFile }) })

/** What is wrong before there is a log is a fault of the configuration. */
function orEnd<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}

function stopOnce(running: Running, log: Log, end: (status: number) => void): void {
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return
    isStopping = true
    log.info({ event: 'signal', signal })
    setTimeout(end, stopMaxMs, 1).unref()
    running.stop().then(
      () => end(0),
      error => {
        log.error({ event: 'stop-failed', error: describeError(error) })
        end(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
