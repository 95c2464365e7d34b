// The bench's command line.
import { parseArgs } from 'node:util'
import { type Load } from './load.ts'
import { studyHelp } from './studies.ts'

export interface Options {
  loads: readonly Load[]
  seconds: number
  rounds: number
  warmUpSeconds: number
  /** How long a measurement waits for other programs to be quiet. */
  patienceSeconds: number
  profile: boolean
  /** Another copy of the tree, measured in turn with this one. */
  against: string | undefined
  bare: boolean
  /** The same without a ledger, measured in turn. */
  withoutLedger: boolean
}

export const help = `npm run bench -- [options]

Measures NDX on a real Kafka and Redis, and beside it, in turns, a bare Fastify route; prints a table and writes
bench/results/<time>.json. bench/README.md says what the figures mean.

  --all              closed loops of 16, 64 and 256 at once; without it 64
  --seconds <n>      length of each measurement, 2 to 600 (8)
  --rounds <n>       how often each is repeated, 1 to 50; the table has medians (3)
  --warm-up <n>      least seconds of load before the first measurement, 0 to 600 (6)
  --patience <n>     seconds a measurement waits for other programs to be quiet, 0 to 600 (10)
  --rate <n>         requests a second of the open loop, 1 to 50000 (500); 0: none
  --no-bare          without the bare route
  --without-ledger   the same tree without a ledger process beside it, to see what the ledger costs
  --against <folder> another copy of this tree, with a Kafka and Redis of its own, measured in turn with this one
  --profile          64 at once only; writes CPU profiles of gateway and adapter and prints their top functions
  --help

${studyHelp}

NDX_TEST_STACK=compose|local picks where Kafka and Redis run (tests/stack/README.md).`

/** Undefined: help is wanted. Throws with what is wrong. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      all: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '8' },
      rounds: { type: 'string' },
      'warm-up': { type: 'string', default: '6' },
      patience: { type: 'string', default: '10' },
      rate: { type: 'string' },
      'no-bare': { type: 'boolean', default: false },
      'without-ledger': { type: 'boolean', default: false },
      against: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { profile } = values
  const rate = within('rate', values.rate ?? (profile ? '0' : '500'), 0, 50_000)
  const concurrents = values.all && !profile ? [16, 64, 256] : [64]
  return {
    loads: [
      ...concurrents.map(concurrent => ({ kind: 'closed' as const, concurrent })),
      ...(rate === 0 ? [] : [{ kind: 'open' as const, perSecond: rate }]),
    ],
    seconds: within('seconds', values.seconds, 2, 600),
    rounds: within('rounds', values.rounds ?? (profile ? '1' : '3'), 1, 50),
    warmUpSeconds: within('warm-up', values['warm-up'], 0, 600),
    patienceSeconds: within('patience', values.patience, 0, 600),
    profile,
    against: values.against,
    withoutLedger: values['without-ledger'],
    bare: !values['no-bare'] && !profile,
  }
}

function within(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} is a whole number, ${min} to ${max}`)
  return value
}
