// The bench's long studies and their command lines: a day of the platform (--day) and growth (--growth). Each is loaded only when
// it is asked for.
import { parseArgs } from 'node:util'
import { type Ending } from './ending.ts'

export interface DayOptions {
  exchanges: number
  concurrent: number
  seed: number
  gateways: number
  /** Of each provider. */
  adapters: number
}

export interface GrowthOptions {
  /** Gateways, then adapters, of a platform measured. */
  instances: readonly number[]
  clients: readonly number[]
  /** Sizes of the ledger's log at which it is measured. */
  entries: readonly number[]
  seconds: number
  rounds: number
  warmUpSeconds: number
  concurrent: number
}

export interface Study {
  run(ending: Ending, say: (line: string) => void): Promise<void>
}

export const studyHelp = `npm run bench -- --day [options]       a day of the national platform, reconciled to the last exchange
  --exchanges <n>    1 to 100000000 (1600000)
  --concurrent <n>   at once, 1 to 2000 (256)
  --seed <n>         another order of the same mix, 1 to 1000000 (1)
  --gateways <n>     processes, 1 to 8 (1); --adapters <n> of each provider, 1 to 6 (1)

npm run bench -- --growth [options]    what an exchange costs when there is more of something
  --instances <list> gateways, then adapters (1,2,4); --clients <list> with agreements (10,100,1000)
  --entries <list>   in the ledger (10000,1000000,10000000); a list may be 'none'
  --seconds <n>      of each measurement, 2 to 600 (8); --rounds <n>, 1 to 50 (3)
  --warm-up <n>      seconds, 0 to 600 (20); --concurrent <n>, 1 to 2000 (64)`

/** Undefined: no study is asked for. Throws with what is wrong. */
export function readStudy(args: readonly string[]): Study | undefined {
  if (args.includes('--help')) return undefined
  if (args.includes('--day')) {
    const options = readDayOptions(args)
    return { run: async (...tools) => void (await (await import('./day.ts')).runDay(options, ...tools)) }
  }
  if (!args.includes('--growth')) return undefined
  const options = readGrowthOptions(args)
  return { run: async (...tools) => (await import('./growth.ts')).runGrowth(options, ...tools) }
}

export function readDayOptions(args: readonly string[]): DayOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      day: { type: 'boolean' },
      exchanges: { type: 'string', default: '1600000' },
      concurrent: { type: 'string', default: '256' },
      seed: { type: 'string', default: '1' },
      gateways: { type: 'string', default: '1' },
      adapters: { type: 'string', default: '1' },
    },
  })
  return {
    exchanges: within('exchanges', values.exchanges, 1, 100_000_000),
    concurrent: within('concurrent', values.concurrent, 1, 2000),
    seed: within('seed', values.seed, 1, 1_000_000),
    gateways: within('gateways', values.gateways, 1, 8),
    adapters: within('adapters', values.adapters, 1, 6),
  }
}

export function readGrowthOptions(args: readonly string[]): GrowthOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      growth: { type: 'boolean' },
      instances: { type: 'string', default: '1,2,4' },
      clients: { type: 'string', default: '10,100,1000' },
      entries: { type: 'string', default: '10000,1000000,10000000' },
      seconds: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '20' },
      concurrent: { type: 'string', default: '64' },
    },
  })
  return {
    instances: listOf('instances', values.instances, 1, 6),
    clients: listOf('clients', values.clients, 1, 2000),
    entries: listOf('entries', values.entries, 1000, 100_000_000),
    seconds: within('seconds', values.seconds, 2, 600),
    rounds: within('rounds', values.rounds, 1, 50),
    warmUpSeconds: within('warm-up', values['warm-up'], 0, 600),
    concurrent: within('concurrent', values.concurrent, 1, 2000),
  }
}

/** Ascending; `none`: empty. */
function listOf(name: string, text: string, min: number, max: number): number[] {
  if (text === 'none') return []
  return text
    .split(',')
    .map(one => within(name, one, min, max))
    .sort((a, b) => a - b)
}

function within(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} is a whole number, ${min} to ${max}`)
  return value
}
