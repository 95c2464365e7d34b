// What a ledger does again and again: each part by itself with a pause between, one round at a time, until it is stopped.
export interface Round {
  /** Pause before each. */
  everyMs: number
  run(): unknown
}

export interface Rounds {
  /** Resolves when the rounds under way have ended. */
  stop(): Promise<void>
}

/** A round that throws or rejects is told under its part's name, and the next one comes as ever. */
export function startRounds<Part extends string>(
  rounds: Readonly<Record<Part, Round>>,
  onFailed: (part: NoInfer<Part>, error: unknown) => void,
): Rounds {
  const started = (Object.keys(rounds) as Part[]).map(part =>
    repeat(rounds[part], (error: unknown) => onFailed(part, error)),
  )
  return {
    async stop() {
      await Promise.all(started.map(one => one.stop()))
    },
  }
}

function repeat({ everyMs, run }: Round, onFailed: (error: unknown) => void): Rounds {
  let isStopped = false
  let wake = (): void => {}
  const running = (async () => {
    while (!isStopped) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, everyMs).unref()
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (isStopped) return
      try {
        await run()
      } catch (error) {
        onFailed(error)
      }
    }
  })()
  return {
    stop() {
      isStopped = true
      wake()
      return running
    },
  }
}
