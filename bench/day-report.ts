// What a day of the platform came to, as Markdown: time, percentiles, CPU, memory, the ledger's lag, sizes, and the books. Pure.
import { type BookLine } from './books.ts'
import { type Measured, renderCapacity } from './capacity.ts'
import { sumByPart, sumOf } from './cost.ts'
import { type Latencies, type MixTally } from './mix-load.ts'
import { type PlatformProcess } from './platform.ts'
import { clockOf, grouped } from './progress-bar.ts'
import { type MemoryLine } from './samples.ts'
import { type Sizes } from './sizes.ts'
import { digits, sizeText, table } from './study-tables.ts'

export interface Day {
  exchanges: number
  concurrent: number
  seed: number
  processes: readonly Pick<PlatformProcess, 'name' | 'part'>[]
  tally: MixTally
  books: readonly BookLine[]
  totals: { accepted: number; settled: number; refused: number }
  /** Answers that the mix did not ask for, and what the books differ in; each ends the run with 1. */
  unexpected: readonly string[]
  differences: readonly string[]
  /** µs an exchange, by process; the generator's apart. */
  cpuUs: Readonly<Record<string, number>>
  generatorUs: number
  memory: readonly MemoryLine[]
  lag: { maxRecords: number | undefined; caughtUpMs: number }
  sizes: Sizes
  /** Exchanges a second in the slowest and the fastest ten seconds. */
  rates: { slowest: number | undefined; fastest: number | undefined }
}

export function renderDay(day: Day): string {
  const { exchanges, tally, concurrent, seed, rates, lag, totals } = day
  const perSecond = (tally.asked / tally.tookMs) * 1000
  const refused = countOf(day, 'refused')
  return [
    `${grouped(exchanges)} exchanges, ${concurrent} at once, seed ${seed}: **${clockOf(tally.tookMs)} min**, ${digits(perSecond)} a second`,
    `(slowest ten seconds ${digits(rates.slowest)}, fastest ${digits(rates.fastest)}). The ledger was at most ${digits(lag.maxRecords)} records behind and had`,
    `read all ${digits(lag.caughtUpMs / 1000)} s after the last answer.`,
    '',
    latencyTable(tally),
    '',
    'CPU µs an exchange, and memory; slope by least squares after the first fifth of the time:',
    '',
    processTable(day),
    '',
    'Left behind:',
    '',
    sizeTable(day),
    '',
    `The books: ${grouped(totals.accepted)} accepted = ${grouped(totals.settled)} settled, ${grouped(totals.refused)} refused (the generator saw ${grouped(refused)}, ${digits((refused / tally.asked) * 100)} %).`,
    '',
    bookTable(day.books),
    '',
    table(
      ['answered with', 'count'],
      refusalsOf(tally).map(([code, count]) => [code, grouped(count)]),
    ),
    '',
    day.differences.length === 0
      ? '**No difference**: what the generator counted is what the ledger wrote down, to the last exchange.'
      : listed('**The books differ**:', day.differences),
    ...(day.unexpected.length === 0 ? [] : ['', listed('**Answers that the mix did not expect**:', day.unexpected)]),
    '',
    'What changes past one machine:',
    '',
    renderCapacity(measuredOf(day)),
  ].join('\n')
}

const listed = (title: string, lines: readonly string[]): string =>
  `${title}\n\n${lines.map(line => `- ${line}`).join('\n')}`

const countOf = ({ books }: Day, outcome: keyof BookLine['seen']): number =>
  books.reduce((sum, { seen }) => sum + seen[outcome], 0)

function latencyTable({ latencies, byService, refusals }: MixTally): string {
  const row = (name: string, { count, p50Ms, p95Ms, p99Ms, maxMs }: Latencies): string[] => [
    name,
    grouped(count),
    ...[p50Ms, p95Ms, p99Ms, maxMs].map(digits),
  ]
  return table(
    ['', 'answers', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    [
      row('all answered', latencies),
      ...Object.entries(byService)
        .sort(([, a], [, b]) => b.count - a.count)
        .map(([id, one]) => row(id, one)),
      row('refusals', refusals),
    ],
  )
}

function processTable({ cpuUs, generatorUs, memory }: Day): string {
  const memoryOf = new Map(memory.map(line => [line.name, line]))
  const rows = Object.keys(cpuUs).map(name => {
    const line = memoryOf.get(name)
    return [name, digits(cpuUs[name]), ...[line?.warmMb, line?.lastMb, line?.maxMb].map(digits), signed(line?.slope)]
  })
  return table(
    ['process', 'CPU µs', 'MB after warm-up', 'MB at the end', 'MB at most', 'MB a minute'],
    [
      ...rows,
      ['**all**', digits(sumOf(cpuUs)), '', '', '', ''],
      ['generator', digits(generatorUs), ...['generator'].flatMap(name => memoryCells(memoryOf.get(name)))],
    ],
  )
}

const memoryCells = (line: MemoryLine | undefined): string[] => [
  ...[line?.warmMb, line?.lastMb, line?.maxMb].map(digits),
  signed(line?.slope),
]

const signed = (slope: number | undefined): string =>
  slope === undefined ? '–' : `${slope < 0 ? '−' : '+'}${Math.abs(slope).toFixed(2)}`

function sizeTable({ sizes, tally }: Day): string {
  const rows: [string, number][] = [
    ...Object.entries(sizes.topics)
      .filter(([, bytes]) => bytes > 0)
      .sort(([, a], [, b]) => b - a),
    ['ledger store', sizes.ledger],
    ['log lines', sizes.logs],
    [`Redis memory, ${grouped(sizes.redisKeys)} keys`, sizes.redis],
  ]
  return table(
    ['', 'size', 'bytes an exchange'],
    rows.map(([name, bytes]) => [name, sizeText(bytes), digits(bytes / tally.asked)]),
  )
}

function bookTable(books: readonly BookLine[]): string {
  const cell = (seen: number, inLedger: number | undefined): string =>
    seen === inLedger ? grouped(seen) : `${grouped(seen)} / ${inLedger === undefined ? '–' : grouped(inLedger)}`
  return table(
    ['client', 'service', 'answered', 'failed', 'expired', 'refused', '202', 'unknown'],
    books.map(({ client, service, seen, books: own }) => [
      client,
      service === '' ? '(no such service)' : service,
      ...(['answered', 'failed', 'expired', 'refused'] as const).map(kind => cell(seen[kind], own?.[kind] ?? 0)),
      grouped(seen.accepted),
      grouped(seen.unknown),
    ]),
  )
}

/** Every answer that was none, by its code, the most frequent first. */
function refusalsOf({ counts }: MixTally): [string, number][] {
  const codes = new Map<string, number>()
  for (const { code, count } of counts) if (code !== '') codes.set(code, (codes.get(code) ?? 0) + count)
  return [...codes].sort(([, a], [, b]) => b - a)
}

/** What the arithmetic of capacity goes by. */
export function measuredOf({ cpuUs, processes, sizes, tally, books }: Day): Measured {
  const each = (bytes: number): number | undefined => (bytes === 0 ? undefined : bytes / tally.asked)
  const topicBytes = (form: RegExp): number =>
    Object.entries(sizes.topics).reduce((sum, [topic, bytes]) => sum + (form.test(topic) ? bytes : 0), 0)
  const byProvider = Map.groupBy(books, ({ service }) => service.split('/')[0] ?? '')
  const answered = Array.from(byProvider.values(), lines => lines.reduce((sum, { seen }) => sum + seen.answered, 0))
  return {
    cpuUs: sumByPart(cpuUs, processes),
    requestAndReplyBytes: each(topicBytes(/\.(request|reply)\./)),
    noteBytes: each(topicBytes(/\.note$/)),
    ledgerBytes: each(sizes.ledger),
    redisBytes: each(sizes.redis),
    busiestShare:
      Math.max(0, ...answered) /
      Math.max(
        1,
        answered.reduce((sum, count) => sum + count, 0),
      ),
  }
}
