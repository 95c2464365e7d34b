// What the checks judge: the client's book, what the status URLs say afterwards, the audit export, the execution ledger, the
// effects, the ledger's own reconciliation. And the index that joins them by exchange and by question.
import { type LedgerEvent } from '#ledger/event.ts'
import { type Reconciliation } from '#ledger/reconciliation.ts'
import { type StatusReading } from './client.ts'
import { type Attempt } from './client-ledger.ts'
import { type Execution } from './services/executions.ts'
import { type Effect } from './services/population/residence-registration.ts'
import { readTrace } from './traces.ts'

export interface Evidence {
  attempts: readonly Attempt[]
  readings: readonly StatusReading[]
  events: readonly LedgerEvent[]
  executions: readonly Execution[]
  effects: readonly Effect[]
  reconciliation: Pick<Reconciliation, 'open' | 'overdue' | 'gaps'>
  /** Why the export does not verify offline; '' when it does. */
  exportFault: string
  /** Exchanges checked before, with their outcome: what is told of them late is no surprise. */
  settledBefore: ReadonlyMap<string, string>
}

/** Everything about one exchange. */
export interface Story {
  exchangeId: string
  /** Whose question it was; undefined: nobody's, or never accepted. */
  n?: number
  acceptances: LedgerEvent[]
  outcomes: LedgerEvent[]
  others: LedgerEvent[]
  executions: Execution[]
  effects: Effect[]
  readings: StatusReading[]
}

export interface Index {
  evidence: Evidence
  stories: Map<string, Story>
  /** Exchanges accepted for a question. */
  storiesOf: Map<number, Story[]>
  attemptsOf: Map<number, Attempt[]>
  /** The exchange that an attempt brought about. */
  storyOfAttempt(attempt: Attempt): Story | undefined
}

const outcomeKinds: readonly string[] = ['answered', 'failed', 'expired']

export function indexEvidence(evidence: Evidence): Index {
  const stories = new Map<string, Story>()
  const storyOf = (exchangeId: string): Story => {
    const found = stories.get(exchangeId) ?? emptyStory(exchangeId)
    stories.set(exchangeId, found)
    return found
  }
  const byAttempt = new Map<string, Story>()
  const storiesOf = new Map<number, Story[]>()
  for (const event of evidence.events) {
    if (event.exchange === '') continue
    const story = storyOf(event.exchange)
    if (outcomeKinds.includes(event.kind)) story.outcomes.push(event)
    else if (event.kind !== 'accepted') story.others.push(event)
    else {
      story.acceptances.push(event)
      const trace = readTrace(event['traceparent'])
      if (trace === undefined) continue
      story.n = trace.question
      byAttempt.set(`${trace.question}/${trace.attempt}`, story)
      add(storiesOf, trace.question, story)
    }
  }
  for (const execution of evidence.executions) storyOf(execution.exchangeId).executions.push(execution)
  for (const effect of evidence.effects) storyOf(effect.exchangeId).effects.push(effect)
  for (const reading of evidence.readings) storyOf(reading.exchangeId).readings.push(reading)
  const attemptsOf = new Map<number, Attempt[]>()
  for (const attempt of evidence.attempts) add(attemptsOf, attempt.n, attempt)
  return {
    evidence,
    stories,
    storiesOf,
    attemptsOf,
    storyOfAttempt: ({ n, attempt }) => byAttempt.get(`${n}/${attempt}`),
  }
}

const emptyStory = (exchangeId: string): Story => ({
  exchangeId,
  acceptances: [],
  outcomes: [],
  others: [],
  executions: [],
  effects: [],
  readings: [],
})

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
