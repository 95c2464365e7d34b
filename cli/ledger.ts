// `ndx ledger`: what an operator does with a ledger besides running it: back it up, and begin a successor log after a loss.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject } from '#contracts/json.ts'
import { logKeyPath, publicSuffix } from '#ledger/notes/keys.ts'
import { finishSuccession, isSuccessionBegun, reasonLengthMax, type Succession, succeed } from '#ledger/succession.ts'
import { askLedger } from './audit-ledger.ts'
import { trustOf } from './audit-trust.ts'
import { readCheckpoint } from './audit-verify.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { findPredecessor } from './predecessor.ts'
import { escapeText } from './safe-text.ts'
import { configOf, shownPath } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

/** A large store takes minutes to copy. */
const copyMaxMs = 290_000

interface Options {
  readonly ledger?: string
  readonly reason?: string
  readonly checkpoint?: string
  readonly key?: string
}

const actions: Readonly<Record<string, (options: Options, terminal: Terminal) => Promise<number>>> = {
  backup: backUp,
  succeed: beginSuccessor,
}

export const command = defineCommand({
  positionals: ['<backup|succeed>'],
  about: `backup: asks the running ledger for a copy of its store, which it makes in its data directory (ledger/backups, the last
three are kept) while it goes on. Prints where; copy it to another machine.

succeed: for a ledger that is stopped and cannot go on: its copy is older than what was signed, its format is old, or its disk is
lost. Sets the old files aside (ledger/predecessors) and begins a new log, <origin>/2, with a new key, whose first entry commits to
the last signed head of the old one: the largest that witnesses, Kafka, the old store or --checkpoint give. The ledger then reads
again what the topics still hold. ledger/README.md, “After a loss”, says what to do before and after.`,
  options: {
    reason: { type: 'string', value: 'text', about: 'succeed: why, for the first entry of the new log' },
    checkpoint: {
      type: 'string',
      value: 'file',
      about: 'succeed: the old log’s last checkpoint, where witnesses are gone',
    },
    key: {
      type: 'string',
      value: 'key|file',
      about: 'succeed: the old log’s verifier key; default ledger/log-key.pub in the data directory',
    },
    ledger: { type: 'string', value: 'url', about: 'backup: default NDX_LEDGER_URL, else http://127.0.0.1:9470' },
  },
  examples: [
    ['ledger backup', 'a copy of the running ledger'],
    ['ledger succeed --reason "disk lost on 3 May, restored from the copy of 2 May"', 'with the ledger stopped'],
  ],
  run: async ({ values, positionals: [name = ''] }, terminal) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action === undefined) throw new UsageError(`ledger takes ${Object.keys(actions).join(' or ')}.`)
    return action(values, terminal)
  },
})

async function backUp({ ledger }: Options, terminal: Terminal): Promise<number> {
  const response = await askLedger('/v1/audit/backup', { ...(ledger === undefined ? {} : { ledger }) }, terminal, {
    method: 'POST',
    withinMs: copyMaxMs,
  })
  const body: unknown = await response.json().catch(() => undefined)
  if (!isJsonObject(body) || typeof body['file'] !== 'string')
    throw new CommandError('what answers there is not a ledger: it named no file.')
  await terminal.write(`${escapeText(body['file'])}\n`)
  terminal.say(`${String(body['size'])} entries; ledger/README.md says how to restore it`)
  return 0
}

async function beginSuccessor({ reason = '', checkpoint, key }: Options, terminal: Terminal): Promise<number> {
  const config = configOf(terminal)
  if (isSuccessionBegun(config.dataDir)) return report(finishSuccession(config), config.dataDir, terminal)
  checkReason(reason)
  const given = checkpoint === undefined ? {} : { given: readCheckpoint('--checkpoint', checkpoint) }
  const { logKey } = trustOf({ ...(key === undefined ? {} : { key }) }, terminal)
  const head = await findPredecessor({ config, logKey, ...given })
  terminal.say(`${escapeText(logKey.name)} ends with ${head.size} entries, by ${escapeText(head.from)}`)
  const source = `/ledger/${config.instance}`
  return report(succeed({ ...config, head, reason, source, nowMs: Date.now() }), config.dataDir, terminal)
}

function checkReason(reason: string): void {
  if (reason === '') throw new UsageError('--reason says why, for whoever reads the log in years.')
  if (reason.length > reasonLengthMax || /\p{Cc}/u.test(reason) || !reason.isWellFormed())
    throw new UsageError(`--reason is one line of at most ${reasonLengthMax} characters.`)
}

async function report({ origin, asideDir }: Succession, dataDir: string, terminal: Terminal): Promise<number> {
  const keyPath = `${logKeyPath(dataDir)}${publicSuffix}`
  await terminal.write(readFileSync(keyPath, 'utf8'))
  const kept = existsSync(join(asideDir, 'ledger.sqlite'))
    ? 'the old log is in'
    : 'no old store was found; its last checkpoint is in'
  terminal.say(`${origin} is begun; ${kept} ${shownPath(asideDir)}
Give ${shownPath(keyPath)} to every witness (its logs folder) and to the auditors, then start the ledger.
\`npx ndx introduce\`, \`npm start\` and docker compose do that for a witness whose directory is at hand.`)
  return 0
}
