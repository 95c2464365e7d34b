// What a verification says when something is wrong: where it is, as near as can be told, and why.

export interface Finding {
  /** First entry that is bad, or the first of those among which one is. */
  firstBad?: number
  /** Last of those among which one is bad, when it cannot be told which. */
  lastBad?: number
  /** Of the file, from 1: where it was found. */
  line?: number
  /** For a human. Holds no text of the file that was not made safe by JSON. */
  why: string
}

/** Thrown inside a verification and turned into its verdict. */
export class Fault extends Error {
  readonly finding: Finding

  constructor(why: string, where: Omit<Finding, 'why'> = {}) {
    super(why)
    this.name = 'Fault'
    this.finding = { ...where, why }
  }
}

/** Text of a file as part of a message. */
export const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
