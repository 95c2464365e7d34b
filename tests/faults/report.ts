// What a campaign came to: one line for each kind of fault, for people, and the same as JSON.

import { type Finding } from './campaign.ts'
import { type Damage } from './checks.ts'
import { type Attempt } from './client-ledger.ts'
import { type Evidence } from './evidence.ts'
import { readTrace } from './traces.ts'

export interface Round {
  fault: string
  /** Exchanges accepted for questions of this round. */
  exchanges: number
  attempts: number
  answered: number
  /** Exchanges whose client was left in the dark once; all were settled, or a finding says which was not. */
  unknown: number
  /** The longest time in which nobody was answered, and nobody at one of the gateways. */
  silentMs: number
  silentAtGatewayMs: number
  damage: Record<Damage, number>
}

export function summarise(
  { index, fault, fromMs, toMs }: { index: number; fault: string; fromMs: number; toMs: number },
  { attempts, events }: Evidence,
  findings: readonly Finding[],
): Round {
  const own = attempts.filter(({ round }) => round === index)
  const numbers = new Set(own.map(({ n }) => n))
  const count = (damage: Damage): number =>
    findings.filter(finding => finding.damage === damage && finding.n !== undefined && numbers.has(finding.n)).length
  const answers = attempts.filter(
    ({ ending, endedMs = 0 }) => ending === 'answered' && endedMs >= fromMs && endedMs <= toMs,
  )
  const atGateways = Map.groupBy(answers, ({ gateway }) => gateway)
  const isOwn = (traceparent: unknown): boolean => numbers.has(readTrace(traceparent)?.question ?? -1)
  return {
    fault,
    exchanges: events.filter(event => event.kind === 'accepted' && isOwn(event['traceparent'])).length,
    attempts: own.length,
    answered: own.filter(({ ending }) => ending === 'answered').length,
    unknown: own.filter(({ ending }) => ending === 'unknown').length,
    silentMs: longestSilence(answers, fromMs, toMs),
    silentAtGatewayMs: Math.max(0, ...[...atGateways.values()].map(some => longestSilence(some, fromMs, toMs))),
    damage: { lost: count('lost'), duplicated: count('duplicated'), contradictory: count('contradictory') },
  }
}

/** Between two answers, or an answer and an end of the time looked at. */
export function longestSilence(answers: readonly Attempt[], fromMs: number, toMs: number): number {
  const moments = [fromMs, ...answers.map(({ endedMs = 0 }) => endedMs).sort((a, b) => a - b), toMs]
  return Math.round(Math.max(...moments.map((moment, at) => moment - (moments[at - 1] ?? moment))))
}

const columns = [
  'rounds',
  'exchanges',
  'answered',
  'unknown',
  'silent s',
  'at one gateway',
  'lost',
  'dupl.',
  'contrad.',
]

/** Silences are the median and the longest of a kind's rounds. */
export function renderTable(rounds: readonly Round[], findings: readonly Finding[]): string {
  const byFault = Map.groupBy(rounds, ({ fault }) => fault)
  const rows = [...byFault].map(([fault, some]) => [fault, ...cellsOf(some)])
  const total = ['all', ...cellsOf(rounds)]
  const homeless = findings.filter(({ n }) => n === undefined)
  const widths = ['fault', ...columns].map((name, at) =>
    Math.max(name.length, ...[...rows, total].map(row => (row[at] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  return [
    line(['fault', ...columns]),
    ...rows.map(line),
    line(total),
    ...(homeless.length === 0 ? [] : [`${homeless.length} findings belong to no question`]),
  ].join('\n')
}

function cellsOf(rounds: readonly Round[]): string[] {
  const sum = (of: (round: Round) => number): string =>
    rounds.reduce((total, round) => total + of(round), 0).toLocaleString('en')
  return [
    sum(() => 1),
    sum(({ exchanges }) => exchanges),
    sum(({ answered }) => answered),
    sum(({ unknown }) => unknown),
    spread(rounds.map(({ silentMs }) => silentMs)),
    spread(rounds.map(({ silentAtGatewayMs }) => silentAtGatewayMs)),
    sum(({ damage }) => damage.lost),
    sum(({ damage }) => damage.duplicated),
    sum(({ damage }) => damage.contradictory),
  ]
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const seconds = (ms = 0): string => (ms / 1000).toFixed(1)
  return `${seconds(sorted[Math.floor(sorted.length / 2)])} / ${seconds(sorted.at(-1))}`
}
