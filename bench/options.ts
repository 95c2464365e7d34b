// The bench's command line.
import { parseArgs } from 'node:util'
import { type Load } from './load.ts'
import { studyHelp } from './studies.ts'

export interface Options {
  loads: readonly Load[]
  seconds: number
  rounds: number
  warmUpSeconds: number
  /** Of targets in Java. */
  jvmWarmUpSeconds: number
  /** How long a measurement waits for other programs to be quiet. */
  patienceSeconds: number
  profile: boolean
  /** Loads are measured in turns; without it only what the next four ask for. */
  table: boolean
  peers: boolean
  /** The highest open-loop rate within limits of the 99th percentile. */
  highest: boolean
  /** Goodput at twice and three times that. */
  overload: boolean
  /** Other providers' waits while one hangs. */
  hung: boolean
  /** A day of the platform after these, and all of it judged. */
  targets: boolean
  /** Of the open loop; also beside a hung provider. */
  ratePerSecond: number
  /** Another copy of the tree, measured in turn with this one. */
  against: string | undefined
  bare: boolean
  /** The same without a ledger, measured in turn. */
  withoutLedger: boolean
}

export const help = `npm run bench -- [options]

Measures NDX on a real Kafka and Redis, and beside it, in turns, a bare Fastify route: about five minutes. Prints Markdown tables
and writes bench/results/<time>.json. bench/README.md says what the figures mean.

What is measured:
  --all              closed loops of 16, 64 and 256 at once; without it 64
  --rate <n>         requests a second of the open loop, 1 to 50000 (500); 0: none
  --no-bare          without the bare route
  --peers            NestJS as documented and tuned, and Spring tuned, beside NDX and the bare route: --all, with a warm-up of 25 s
                     (Java: 120 s), and NDX's figures divided by each. About 25 minutes. Fetches their packages with npm and
                     Maven into bench/peers the first time; without Java or Maven Spring is left out
  --highest          the highest open-loop rate with a p99 of at most 100 and 250 ms; about 6 minutes
  --overload         goodput at twice and three times the latter, which it looks for first; about 3 minutes more
  --hung             population's waits while another provider answers, and while it hangs; about 3 minutes
                     These three measure NDX alone; with --peers or --all the tables come first
  --targets          --peers --highest --overload --hung, then --day, and every target beside what was measured; about 45 minutes
  --without-ledger   the same tree without a ledger process beside it, to see what the ledger costs
  --against <folder> another copy of this tree, with a Kafka and Redis of its own, measured in turn with this one
  --profile          64 at once only; writes CPU profiles of gateway and adapter and prints their top functions

How:
  --seconds <n>      length of each measurement, 2 to 600 (8)
  --rounds <n>       how often each is repeated, 1 to 50; the tables have medians (3)
  --warm-up <n>      least seconds of load before the first measurement, 0 to 600 (6); 0: none
  --jvm-warm-up <n>  the same for Java, whose compiler takes longer, 0 to 600 (120)
  --patience <n>     seconds a measurement waits for other programs to be quiet, 0 to 600 (10)
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
      'warm-up': { type: 'string' },
      'jvm-warm-up': { type: 'string', default: '120' },
      patience: { type: 'string', default: '10' },
      rate: { type: 'string' },
      'no-bare': { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      highest: { type: 'boolean', default: false },
      overload: { type: 'boolean', default: false },
      hung: { type: 'boolean', default: false },
      targets: { type: 'boolean', default: false },
      'without-ledger': { type: 'boolean', default: false },
      against: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const asked = values.targets ? { ...values, peers: true, highest: true, overload: true, hung: true } : values
  const { profile, targets, peers, highest, overload, hung } = asked
  if (profile && (peers || highest || overload || hung))
    throw new Error('--profile goes with none of --peers, --highest, --overload, --hung, --targets')
  const table = peers || values.all || !(highest || overload || hung)
  const rate = within('rate', values.rate ?? (profile ? '0' : '500'), 0, 50_000)
  const concurrents = (values.all || peers) && !profile ? [16, 64, 256] : [64]
  return {
    loads: [
      ...concurrents.map(concurrent => ({ kind: 'closed' as const, concurrent })),
      ...(rate === 0 ? [] : [{ kind: 'open' as const, perSecond: rate }]),
    ],
    seconds: within('seconds', values.seconds, 2, 600),
    rounds: within('rounds', values.rounds ?? (profile ? '1' : '3'), 1, 50),
    warmUpSeconds: within('warm-up', values['warm-up'] ?? (peers ? '25' : '6'), 0, 600),
    jvmWarmUpSeconds: within('jvm-warm-up', values['jvm-warm-up'], 0, 600),
    patienceSeconds: within('patience', values.patience, 0, 600),
    profile,
    table,
    peers,
    highest,
    overload,
    hung,
    targets,
    ratePerSecond: rate === 0 ? 500 : rate,
    against: values.against,
    withoutLedger: values['without-ledger'],
    bare: !values['no-bare'] && !profile && table,
  }
}

function within(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} is a whole number, ${min} to ${max}`)
  return value
}
