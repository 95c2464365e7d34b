// `ndx dead-letters`: what was given up on, and the way to have it done again, which takes two operators.
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { type Config } from '#runtime/config.ts'
import { timeOf } from './audit-ledger.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { type DeadLetterCase, type DeadLetterCases, describeState } from './dead-letter-cases.ts'
import { readCases, replay } from './dead-letter-replay.ts'
import { checkOperatorName, makeOperator, readOperatorKey, readOperators } from './operators.ts'
import { safeJson } from './safe-text.ts'
import { configOf, shownPath } from './surroundings.ts'
import { formatTable } from './table.ts'
import { type Terminal } from './terminal.ts'

const actions: readonly string[] = ['list', 'show', 'replay', 'operator']
const titles = ['ID', 'RECORD', 'EXCHANGE', 'ATTEMPTS', 'CODE', 'LAST TRIED', 'REPLAY']
const readWithinMs = 10_000

export const command = defineCommand({
  positionals: ['[list|show|replay|operator]', '[id or name]'],
  about: `Lists the records that adapters gave up on (the default), shows one, or has one done again. A dead letter says where the
record is and why it was given up; never what is in it. NDX_KAFKA_BROKERS names the brokers.

A replay takes two operators: one proposes it, another approves it with the same command, and the request is sent again with
the same exchange id and a new deadline. Both signatures stay on the dead-letter topic. The exchange itself was settled as failed
and stays so: a replay has the effect done, and its reply is late. Each operator signs with a key of their own.`,
  options: {
    as: { type: 'string', value: 'operator', about: 'who replays; their key is in operators/ under NDX_DATA_DIR' },
    json: { type: 'boolean', about: 'list as an array of letters with the steps of their replays' },
  },
  examples: [
    ['dead-letters', 'what was given up on'],
    ['dead-letters show population-3-1234', 'all that is known of one'],
    ['dead-letters operator lan', 'makes the keys of an operator'],
    ['dead-letters replay population-3-1234 --as lan', 'proposes a replay, or approves another’s proposal'],
  ],
  run: async ({ values: { as, json }, positionals: [action = 'list', subject] }, terminal) => {
    if (!actions.includes(action)) throw new UsageError('dead-letters takes list, show, replay or operator.')
    if (action === 'list' && subject !== undefined) throw new UsageError('list takes nothing more.')
    if (action !== 'list' && subject === undefined)
      throw new UsageError(
        action === 'operator' ? 'operator takes a name.' : `${action} takes the id of a dead letter.`,
      )
    if (action === 'replay' && as === undefined) throw new UsageError('replay takes --as <operator>.')
    const config = configOf(terminal)
    if (action === 'operator') return addOperator(checkOperatorName(subject ?? ''), config, terminal)
    if (action === 'list') return list(config, terminal, json === true)
    if (action === 'show') return show(subject ?? '', config, terminal)
    return replayAs(checkOperatorName(as ?? ''), subject ?? '', config, terminal)
  },
})

async function addOperator(name: string, { dataDir }: Config, terminal: Terminal): Promise<number> {
  makeOperator(dataDir, name)
  await terminal.write(`operators/${name}.key\noperators/${name}.pub\n`)
  terminal.say(`the .key in ${shownPath(dataDir)} is ${name}’s alone; the others need the .pub`)
  return 0
}

function list(config: Config, terminal: Terminal, isJson: boolean): Promise<number> {
  return withCases(config, async cases => {
    const checks = { isSigned: readOperators(config.dataDir), nowMs: Date.now() }
    const all = cases.list()
    const rows = all.map(one => toRow(one, describeState(one, checks)))
    await terminal.write(isJson ? `${safeJson(all, 2)}\n` : formatTable(titles, rows))
    if (all.length === 0) terminal.say('nothing was given up on')
    if (cases.unreadable > 0) terminal.say(`${cases.unreadable} records of the topic are neither letters nor replays`)
    return 0
  })
}

function show(id: string, config: Config, terminal: Terminal): Promise<number> {
  return withCases(config, async cases => {
    const { letter, steps } = caseOf(id, cases)
    const isSigned = readOperators(config.dataDir)
    const checked = steps.map(step => ({ ...step, isSignatureKnown: isSigned(step, letter) }))
    await terminal.write(`${safeJson({ letter, steps: checked }, 2)}\n`)
    return 0
  })
}

function replayAs(operator: string, id: string, config: Config, terminal: Terminal): Promise<number> {
  const key = readOperatorKey(config.dataDir, operator)
  const isSigned = readOperators(config.dataDir)
  return withCases(config, async (cases, bus) => {
    const done = await replay(caseOf(id, cases), { bus, operator, key, isSigned, nowMs: Date.now() })
    await terminal.write(`${done} ${id}\n`)
    terminal.say(
      done === 'proposed'
        ? `another operator approves it within a day: npx ndx dead-letters replay ${id} --as <operator>`
        : 'the request is on its topic again; what becomes of it is in the ledger, as a repetition of its exchange',
    )
    return 0
  })
}

const caseOf = (id: string, cases: DeadLetterCases): DeadLetterCase => {
  const found = cases.find(id)
  if (found !== undefined) return found
  throw new CommandError(
    'there is no dead letter with this id.\n`npx ndx dead-letters` lists them; they are kept for 30 days.',
  )
}

async function withCases(
  { kafkaBrokers: brokers, instance }: Config,
  act: (cases: DeadLetterCases, bus: ReturnType<typeof createKafkaBus>) => Promise<number>,
): Promise<number> {
  if (brokers === undefined)
    throw new CommandError(
      'NDX_KAFKA_BROKERS names no broker, e.g. NDX_KAFKA_BROKERS=127.0.0.1:9092 npx ndx dead-letters\nAn embedded exchange keeps its dead letters in its own memory.',
    )
  const bus = createKafkaBus({ brokers, clientId: instance })
  try {
    return await act(await readCases(bus, readWithinMs), bus)
  } finally {
    await bus.close()
  }
}

/** As strings for a table, whatever the letter says. */
export const toRow = ({ letter }: DeadLetterCase, state: string): string[] => [
  letter.id,
  `${letter.topic}/${letter.partition}/${letter.offset}`,
  letter.exchangeId ?? '-',
  String(letter.attempts),
  letter.code,
  timeOf(letter.lastMs),
  state,
]
