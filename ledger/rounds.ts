// Something done again and again with a pause between, one at a time, until it is stopped.
export interface Rounds {
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>
}

/** A round that rejects is told and the next one comes as ever. */
export function startRounds(
  everyMs: number,
  round: () => Promise<unknown>,
  onFailed: (error: unknown) => void,
): Rounds {
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
        await round()
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
