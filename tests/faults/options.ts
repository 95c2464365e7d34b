// The command line of the fault harness.
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  rounds: number
  seed: number
  perSecond: number
  /** Answers a round has at least. */
  answeredMin: number
  /** Only faults whose name holds this. */
  only: string
  json: string
  killFigures: boolean
}

export const help = `npm run faults -- [options]

Breaks one thing after the other under a constant load on the real platform (two gateways, three adapters, a ledger, Kafka, Redis, all
as processes of this machine), and checks every exchange afterwards: nothing lost, nothing twice, nothing contradictory.

  --rounds <n>     how many faults, 1 to 10000 (30)
  --seed <n>       which faults in which order, 0 to 4294967295 (1)
  --rate <n>       questions a second, 1 to 2000 (200)
  --answers <n>    answers a round has at least, 1 to 100000 (1000)
  --only <text>    only faults whose name holds this
  --json <file>    where the results go (bench/results/faults-<time>.json)
  --kill-figures   instead: 75 s of load, one adapter or one gateway killed after 15 s; what clients noticed of it
  --help

Examples:
  npm run faults -- --rounds 300            a night’s run, about an hour
  npm run faults -- --only killed --seed 7  kills only, in another order
  npm run faults -- --only disk --rounds 3
  npm run faults -- --kill-figures

Ends with 1 when something was lost, doubled or contradictory; each finding is told with all that is known of its exchange.`

/** Undefined: help is wanted. Throws with what is wrong. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '200' },
      answers: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
      json: { type: 'string' },
      'kill-figures': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const time = new Date().toISOString().replaceAll(':', '-').slice(0, 19)
  return {
    rounds: within('rounds', values.rounds, 1, 10_000),
    seed: within('seed', values.seed, 0, 0xffff_ffff),
    perSecond: within('rate', values.rate, 1, 2_000),
    answeredMin: within('answers', values.answers, 1, 100_000),
    only: values.only,
    json: values.json ?? join(import.meta.dirname, '../../bench/results', `faults-${time}.json`),
    killFigures: values['kill-figures'],
  }
}

function within(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`--${name} is a whole number from ${min} to ${max}, not ${text}`)
}
