// Finds the subcommand, reads its arguments, runs it, and turns what it throws into a message and an exit status.
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { RegistryError } from '#contracts/registry.ts'
import { ConfigError } from '#runtime/config.ts'
import { version } from '#runtime/version.ts'
import { type Command, CommandError, type Given, type OptionPlans, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { commandHelp, generalHelp } from './help.ts'
import { findNearest } from './nearest.ts'
import { escapeText } from './safe-text.ts'
import { type Terminal } from './terminal.ts'

export interface Ending {
  status: number
  /** The process goes on; whoever started it ends it. */
  staysAlive: boolean
}

/** Never rejects. */
export async function dispatch(line: readonly string[], terminal: Terminal): Promise<Ending> {
  const ended = (status: number): Ending => ({ status, staysAlive: false })
  const [name, ...rest] = line
  try {
    if (name === '--version') return ended(await printed(`${version}\n`, terminal))
    if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0))
      return ended(await printed(generalHelp(), terminal))
    if (name === undefined) {
      terminal.say(generalHelp())
      return ended(2)
    }
    if (name === 'help') return ended(await printed(await helpOf(rest[0] ?? ''), terminal))
    const { command } = await findCommand(name)
    if (asksForHelp(rest)) return ended(await printed(commandHelp(name, command), terminal))
    const status = await command.run(readArguments(rest, command), terminal)
    return { status, staysAlive: command.staysAlive === true && status === 0 }
  } catch (error) {
    return ended(tellFault(error, name, terminal))
  }
}

/** Also where the command line goes wrong elsewhere; not after `--`. */
function asksForHelp(rest: readonly string[]): boolean {
  const end = rest.indexOf('--')
  return rest.slice(0, end === -1 ? rest.length : end).some(word => word === '--help' || word === '-h')
}

const helpOf = async (name: string): Promise<string> => commandHelp(name, (await findCommand(name)).command)

async function printed(text: string, terminal: Terminal): Promise<number> {
  await terminal.write(text)
  return 0
}

async function findCommand(name: string): Promise<{ command: Command }> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry !== undefined) return entry.load()
  const kind = name.startsWith('-') ? 'option before the command' : 'command'
  throw new UsageError(`there is no ${kind} ${quote(name)}.${suggest(name, Object.keys(commands))}`)
}

function readArguments(rest: string[], { positionals, options }: Command): Given<OptionPlans> {
  const given = parse(rest, options)
  const needed = positionals.filter(positional => positional.startsWith('<'))
  const missing = needed[given.positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`)
  const surplus = given.positionals[positionals.length]
  if (surplus !== undefined) throw new UsageError(`${quote(surplus)} is one argument too many.`)
  return given
}

function parse(args: string[], options: OptionPlans): Given<OptionPlans> {
  try {
    return parseArgs({
      args,
      options: options as ParseArgsConfig['options'] & {},
      allowPositionals: true,
    }) as Given<OptionPlans>
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    const unknown = /^Unknown option '(--?[^']*)'/.exec(message)?.[1]
    if (unknown === undefined) throw new UsageError(escapeText(message.split('\n')[0] ?? message))
    const names = [...Object.keys(options), 'help'].map(name => `--${name}`)
    throw new UsageError(`there is no option ${quote(unknown)}.${suggest(unknown, names)}`)
  }
}

function suggest(name: string, names: readonly string[]): string {
  const nearest = findNearest(name, names)
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`
}

const quote = (text: string): string => `“${escapeText(text.slice(0, 100))}”`

function tellFault(error: unknown, name: string | undefined, terminal: Terminal): number {
  const isKnown = name !== undefined && Object.hasOwn(commands, name)
  const who = isKnown ? `ndx ${name}` : 'ndx'
  if (error instanceof UsageError) {
    terminal.say(`${who}: ${error.message}\nSee: npx ${who} --help`)
    return 2
  }
  if (error instanceof ConfigError) {
    terminal.say(`${who}: ${error.message}`)
    return 2
  }
  if (error instanceof CommandError || error instanceof RegistryError) {
    terminal.say(`${who}: ${error.message}`)
    return 1
  }
  if (error instanceof Error && 'syscall' in error) {
    terminal.say(`${who}: ${error.message}`)
    return 1
  }
  terminal.say(`${who}: a fault nobody foresaw\n${error instanceof Error ? error.stack : String(error)}`)
  return 1
}
