// `ndx watch`: follows the audit log, from a file or standard input, as a table or as the JSON lines that were wanted.
import { fstatSync } from 'node:fs'
import { createAuditTable, type Entry, isWanted, readEntry, type Wanted } from './audit-table.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { type Chunk, follow } from './follow.ts'
import { splitLines } from './lines.ts'
import { escapeText, safeJson } from './safe-text.ts'
import { configOf, logFileOf, shownPath } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

const tailBytes = 64 * 1024
const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export const command = defineCommand({
  positionals: ['[-]'],
  about: `Follows the audit log as a table: time, client, service, outcome, code, milliseconds in all and up to each hop, and the exchange
id. Begins with the last lines of the file; with --since or --no-follow, with its first. Reads the log of \`npx ndx start\` (data/log/ndx.log),
another file, or standard input (-, or a pipe). Whatever could disturb a terminal is shown as an escape. Several --client,
--service, --outcome or --code: any of them.`,
  options: {
    file: { type: 'string', value: 'path', about: 'the log; - for standard input' },
    client: { type: 'string', multiple: true, value: 'client', about: 'only this client’s exchanges' },
    service: { type: 'string', multiple: true, value: 'id', about: 'only this service; half of an id will do' },
    outcome: {
      type: 'string',
      multiple: true,
      value: 'outcome',
      about: 'only answered, refused, failed, expired or unknown',
    },
    code: { type: 'string', multiple: true, value: 'code', about: 'only this error code' },
    since: { type: 'string', value: 'n', about: 'only the last n seconds; or 10m, 2h, 1d' },
    'no-follow': { type: 'boolean', about: 'what is there, then end' },
    json: { type: 'boolean', about: 'the wanted lines as JSON, one a line' },
  },
  examples: [
    ['watch', 'everything, as it happens'],
    ['watch --client bank --outcome refused', 'what the bank was refused'],
    ['watch --since 1h --no-follow --json', 'the last hour, for a script'],
    ['watch -', 'behind `docker compose logs --no-log-prefix -f gateway |`'],
  ],
  run: async ({ values: { file, since, json, 'no-follow': once, ...names }, positionals: [place] }, terminal) => {
    if (place !== undefined && place !== '-')
      throw new UsageError('watch takes - for standard input; a file is --file <path>.')
    const wanted: Wanted = { ...names, ...(since === undefined ? {} : { sinceMs: Date.now() - readDuration(since) }) }
    const isTail = once !== true && since === undefined
    const source = findSource(place ?? file, { keepsOn: once !== true, ...(isTail ? { tailBytes } : {}) }, terminal)
    const show = json
      ? (entry: Entry): string => (entry.kind === 'text' ? '' : `${safeJson(entry.facts)}\n`)
      : undefined
    await showAll(source, wanted, terminal, show)
    return 0
  },
})

function findSource(
  place: string | undefined,
  options: { keepsOn: boolean; tailBytes?: number },
  terminal: Terminal,
): AsyncIterable<Chunk> {
  if (place === '-' || (place === undefined && isPiped())) return terminal.input as AsyncIterable<Buffer>
  const path = place ?? logFileOf(configOf(terminal))
  const onWaiting = (): void =>
    terminal.say(`waiting for ${escapeText(shownPath(path))}; \`npm start\` writes to data/log/ndx.log`)
  return explained(path, follow(path, { ...options, onWaiting }))
}

/** A pipe or a file from the shell. Not any other input: an empty one would be a silent end. */
function isPiped(): boolean {
  try {
    const status = fstatSync(0)
    return status.isFIFO() || status.isFile()
  } catch {
    return false
  }
}

async function* explained(path: string, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  try {
    yield* chunks
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === undefined) throw cause
    const hint = code === 'ENOENT' ? '\n`npm start` writes data/log/ndx.log; --file names another.' : ''
    throw new CommandError(`cannot read ${escapeText(path)} (${code}).${hint}`, { cause })
  }
}

async function showAll(
  source: AsyncIterable<Chunk>,
  wanted: Wanted,
  terminal: Terminal,
  show?: (entry: Entry) => string,
): Promise<void> {
  const table = createAuditTable(terminal)
  if (show === undefined) await terminal.write(table.header())
  for await (const lines of splitLines(source)) {
    const entries = lines.filter(({ text }) => text.trim() !== '').map(readEntry)
    const shown = entries.filter(entry => isWanted(entry, wanted)).map(show ?? table.row)
    if (shown.length > 0) await terminal.write(shown.join(''))
  }
}

/** Milliseconds of `90`, `90s`, `10m`, `2h`, `1d`. */
function readDuration(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
  if (count === undefined) throw new UsageError('--since is a number of seconds, or like 10m, 2h, 1d.')
  return Number(count) * (secondsOf[unit] ?? 1) * 1000
}
