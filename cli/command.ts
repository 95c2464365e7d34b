// What a subcommand is: what it takes, what it says of itself, what it does. Everything else (parsing, help, faults, the end of
// the process) is the dispatcher's. Every file of a subcommand exports one of these as `command`.
import { type Terminal } from './terminal.ts'

export interface OptionPlan {
  type: 'string' | 'boolean'
  multiple?: boolean
  /** Name of the value in the help. */
  value?: string
  about: string
}
export type OptionPlans = Readonly<Record<string, OptionPlan>>

type Value<plan extends OptionPlan> = plan['type'] extends 'boolean'
  ? boolean
  : plan['multiple'] extends true
    ? string[]
    : string

export interface Given<plans extends OptionPlans> {
  values: { readonly [name in keyof plans]?: Value<plans[name]> }
  /** As many as the command names, at most; those in angle brackets are there. */
  positionals: readonly string[]
}

export interface Command<plans extends OptionPlans = OptionPlans> {
  /** In order: `<needed>` or `[may be left out]`. */
  positionals: readonly string[]
  /** Paragraphs of the help. */
  about: string
  options: plans
  /** A command line after `npx ndx `, and what it does. */
  examples: readonly (readonly [line: string, what: string])[]
  /** The process lives on after `run`, and when nobody reads its output any more. */
  staysAlive?: boolean
  /** Resolves with the exit status. */
  run(given: Given<plans>, terminal: Terminal): Promise<number>
}

/** Checks a command's values against its options, then forgets their types. */
export const defineCommand = <const plans extends OptionPlans>(command: Command<plans>): Command =>
  command as unknown as Command

/** Something is not as it must be; the message says what, and what to do next. Exit status 1. */
export class CommandError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'CommandError'
  }
}

/** The command line itself is wrong. Exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
