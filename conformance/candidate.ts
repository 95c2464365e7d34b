// The adapter that is checked, where the check itself started it: then it can be killed and started again, and what it prints can
// be searched. Of one that somebody else runs nothing of this is known.

export interface Candidate {
  /** Resolves when it is on its way; whether it answers is found out by asking. */
  start(): Promise<void>
  /** As `kill -9`. Resolves when it is dead. */
  kill(): Promise<void>
  /** In good order, so that all it prints is known. */
  stop(): Promise<void>
  /** What it has printed or logged so far, in all its lives; of much, the beginning. */
  output(): string
  /** How it ended, if it did so by itself. */
  ended(): string | undefined
}
