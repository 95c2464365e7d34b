// The log: pino, one JSON line an event. Nobody logs a request, a reply or an error's own fields wholesale: every line is
// built from named fields, so that a new field is a decision and personal data has no way in.
import { fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DestinationStream, destination, type Logger, pino } from 'pino'

export type Log = Logger

export interface LogOptions {
  level: string
  /** Appended to; standard output when not given. */
  file?: string
  instance: string
  /** For tests: where lines go instead. */
  stream?: DestinationStream
}

/**
 * Lines are written together, at most 100 ms late; `kill -9` loses that much. The evidence is on the bus, not here. Not by another
 * thread: that takes 16 KB a turn of the event loop, and a busy process would keep what it says beyond that, without end.
 */
const buffering = { sync: true, minLength: 8192, periodicFlush: 100 }

/** Throws when the file cannot be written. */
export function createLog({ level, file, instance, stream }: LogOptions): Log {
  const sink = stream ?? openSink(file)
  return pino(
    {
      level,
      base: { instance },
      timestamp: () => `,"time":${Date.now()}`,
      formatters: { level: label => ({ level: label }) },
    },
    sink,
  )
}

/** What cannot be written (a full disk) ends the process, as a fault nobody caught, and not the exchange whose line it was. */
function openSink(file: string | undefined): DestinationStream {
  const sink = destination({ dest: file === undefined ? 1 : openLogFile(file), ...buffering })
  sink.on('error', (error: NodeJS.ErrnoException) => {
    // Of a reader that went away pino itself takes care.
    if (error.code === 'EPIPE') return
    setImmediate(() => {
      throw error
    })
  })
  return sink
}

/** For its owner and group alone; whoever collects logs belongs to the group. */
const fileMode = 0o640

/** Opened at once, so that a log that cannot be written is a start that fails. A folder that is there keeps its rights. */
function openLogFile(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const opened = openSync(file, 'a', fileMode)
    const status = fstatSync(opened)
    // One that an older version made for everybody; what somebody else made stays theirs.
    if (status.isFile() && status.uid === process.getuid?.()) fchmodSync(opened, status.mode & fileMode)
    return opened
  } catch (cause) {
    throw new Error(`NDX_LOG_FILE: cannot write ${file} (${cause instanceof Error ? cause.message : cause})`, { cause })
  }
}

/** What may be said of an error in the log: its kind and stack, without fields that libraries hang on it. */
export function describeError(error: unknown): { kind: string; message: string; stack?: string; cause?: string } {
  if (!(error instanceof Error)) return { kind: typeof error, message: 'not an Error' }
  const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined
  return {
    kind: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(cause === undefined ? {} : { cause }),
  }
}

/** The log as parts see it that know nothing of pino: level, message, details without personal data. */
export const logAs =
  (log: Log, event: string) =>
  (level: 'debug' | 'info' | 'warn' | 'error', message: string, details: object = {}): void =>
    log[level]({ event, ...details }, message)
