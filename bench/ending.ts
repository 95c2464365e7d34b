// Ends what a run started, the last first, each once, whether it finished, failed or was interrupted.

export interface Ending {
  add(end: () => unknown): void
  /** Ends all that was added so far; what cannot be ended is reported and does not hold up the rest. */
  run(): Promise<void>
}

export function createEnding(report: (line: string) => void): Ending {
  const ends: (() => unknown)[] = []
  let running: Promise<void> | undefined
  const runAll = async (): Promise<void> => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
      try {
        await end()
      } catch (error) {
        report(`could not end everything: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return {
    add: end => void ends.push(end),
    run: () =>
      (running ??= runAll().finally(() => {
        running = undefined
      })),
  }
}
