// Dead letters with what operators did about them, and who may do what next. Pure: it gets records, names and a clock, and decides.
import { type IncomingRecord } from '#bus/bus.ts'
import { type DeadLetter, isReplayStep, type ReplayStep, readDeadLetter, readReplayStep } from '#bus/dead-letter.ts'
import { MessageError } from '#bus/message.ts'
import { type IsSigned } from './operators.ts'

export interface DeadLetterCase {
  letter: DeadLetter
  /** In the order in which they were written. */
  steps: ReplayStep[]
}

export type Decision = { act: 'propose' } | { act: 'approve'; proposal: ReplayStep } | { act: 'refuse'; reason: string }

/** The last ones are kept. */
const casesMax = 10_000
/** Of one case: nobody needs more. */
const stepsMax = 100
/** A proposal that nobody approved by then has lapsed. */
const proposalMaxMs = 24 * 3_600_000

/** Gathers cases from the records of the dead-letter topic, in their order. */
export class DeadLetterCases {
  readonly #cases = new Map<string, DeadLetterCase>()
  /** Records that are neither letters nor steps. */
  unreadable = 0

  add(record: IncomingRecord): void {
    try {
      if (isReplayStep(record)) this.#addStep(readReplayStep(record))
      else this.#addLetter(readDeadLetter(record))
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.unreadable++
    }
  }

  find(id: string): DeadLetterCase | undefined {
    return this.#cases.get(id)
  }

  list(): DeadLetterCase[] {
    return [...this.#cases.values()]
  }

  /** Written again, it is the same letter. */
  #addLetter(letter: DeadLetter): void {
    const known = this.#cases.get(letter.id)
    if (known !== undefined && known.letter.exchangeId === letter.exchangeId) return
    this.#cases.delete(letter.id)
    this.#cases.set(letter.id, { letter, steps: [] })
    if (this.#cases.size > casesMax) this.#cases.delete(this.#cases.keys().next().value ?? '')
  }

  #addStep(step: ReplayStep): void {
    const steps = this.#cases.get(step.letterId)?.steps
    if (steps !== undefined && steps.length < stepsMax) steps.push(step)
  }
}

/** What a replay asked for by `operator` is: the first of two voices, the second, or neither. */
export function decideReplay(
  { letter, steps }: DeadLetterCase,
  operator: string,
  { isSigned, nowMs }: { isSigned: IsSigned; nowMs: number },
): Decision {
  const open = openProposals({ letter, steps }, { isSigned, nowMs })
  const proposal = open.find(step => step.operator !== operator)
  if (proposal !== undefined) return { act: 'approve', proposal }
  if (open.length > 0)
    return { act: 'refuse', reason: `${operator} has proposed it already; a second person must approve it` }
  return { act: 'propose' }
}

/** Signed, not lapsed, not approved yet. A proposal counts as approved whoever says so: rather twice asked than twice done. */
export function openProposals(
  { letter, steps }: DeadLetterCase,
  { isSigned, nowMs }: { isSigned: IsSigned; nowMs: number },
): ReplayStep[] {
  const approved = new Set(steps.flatMap(({ approves }) => (approves === undefined ? [] : [approves.signature])))
  return steps.filter(
    step =>
      step.step === 'proposed' &&
      !approved.has(step.signature) &&
      nowMs - step.signedMs < proposalMaxMs &&
      isSigned(step, letter),
  )
}

/** One word or two for a list. */
export function describeState(one: DeadLetterCase, checks: { isSigned: IsSigned; nowMs: number }): string {
  const [proposal] = openProposals(one, checks)
  if (proposal !== undefined) return `proposed by ${proposal.operator}`
  const approval = one.steps.findLast(({ step }) => step === 'approved')
  return approval === undefined ? '-' : `replayed by ${approval.approves?.operator ?? '?'} and ${approval.operator}`
}
