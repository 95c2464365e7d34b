// A violation with everything that is known of its question: what the client sent and heard, what the log says, who executed.
import { type Violation } from './checks.ts'
import { type Evidence } from './evidence.ts'
import { readTrace } from './traces.ts'

const linesMax = 60

export function tellHistory(violation: Violation, evidence: Evidence): string {
  const { n, exchangeId, damage, rule, what } = violation
  const attempts = evidence.attempts.filter(attempt => n !== undefined && attempt.n === n)
  const isOfQuestion = (traceparent: unknown): boolean => n !== undefined && readTrace(traceparent)?.question === n
  const exchanges = new Set<string>([
    ...(exchangeId === undefined ? [] : [exchangeId]),
    ...attempts.flatMap(attempt => attempt.exchangeId ?? []),
    ...evidence.events.filter(event => isOfQuestion(event['traceparent'])).map(event => event.exchange),
  ])
  const of = <T extends object>(name: string, all: readonly T[], idOf: (one: T) => string): string[] =>
    all.filter(one => exchanges.has(idOf(one))).map(one => `  ${name} ${JSON.stringify(one)}`)
  const lines = [
    `${damage}: ${rule}: ${what}${n === undefined ? '' : ` (question ${n})`}`,
    ...attempts.map(attempt => `  client ${JSON.stringify(attempt)}`),
    ...of('event', evidence.events, event => event.exchange),
    ...of('execution', evidence.executions, execution => execution.exchangeId),
    ...of('effect', evidence.effects, effect => effect.exchangeId),
    ...of('status', evidence.readings, reading => reading.exchangeId),
  ]
  return lines.slice(0, linesMax).join('\n')
}
