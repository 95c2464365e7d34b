// What must be true of every exchange, whatever was broken meanwhile. Pure functions over the evidence; each names what breaks it.
// checks.test.ts plants one fault for each, so that every one is known to be able to fail.
import { type Attempt } from './client-ledger.ts'
import { type Evidence, type Index, indexEvidence, type Story } from './evidence.ts'
import { registrationOf } from './questions.ts'

export type Damage = 'lost' | 'duplicated' | 'contradictory'

export interface Violation {
  damage: Damage
  rule: string
  what: string
  n?: number
  exchangeId?: string
}

interface Rule {
  damage: Damage
  rule: string
  find(index: Index): Omit<Violation, 'damage' | 'rule'>[]
}

export function check(evidence: Evidence): Violation[] {
  const index = indexEvidence(evidence)
  return rules.flatMap(({ damage, rule, find }) => find(index).map(found => ({ damage, rule, ...found })))
}

/** What becomes known to later checks. */
export const settledIn = (evidence: Evidence): [string, string][] =>
  [...indexEvidence(evidence).stories.values()]
    .filter(({ acceptances }) => acceptances.length > 0)
    .map(({ exchangeId, outcomes }) => [exchangeId, outcomes[0]?.kind ?? ''])

const effectModes: readonly string[] = ['population/residence-registration', 'population/personal-id-issuance']

export const rules: readonly Rule[] = [
  {
    damage: 'lost',
    rule: 'an accepted exchange has an outcome',
    find: ({ stories }) =>
      accepted(stories)
        .filter(({ outcomes }) => outcomes.length === 0)
        .map(story => ({ ...as(story), what: 'accepted, and no outcome was ever written' })),
  },
  {
    damage: 'duplicated',
    rule: 'an exchange has one outcome',
    find: ({ stories, evidence: { settledBefore } }) =>
      [...stories.values()]
        .filter(
          ({ exchangeId, outcomes, acceptances }) =>
            outcomes.length + (settledBefore.has(exchangeId) ? 1 : 0) > 1 || acceptances.length > 1,
        )
        .map(story => ({ ...as(story), what: `outcomes: ${story.outcomes.map(({ kind }) => kind).join(', ')}` })),
  },
  {
    damage: 'lost',
    rule: 'what a client was told is in the log',
    find: index =>
      told(index, 'answered', 'accepted').flatMap(attempt => {
        const story = storyTold(index, attempt)
        const kinds = story?.outcomes.map(({ kind }) => kind) ?? []
        if (attempt.ending === 'accepted' ? (story?.acceptances.length ?? 0) > 0 : kinds.includes('answered')) return []
        return [{ ...about(attempt), what: `told ${attempt.status}; the log says ${kinds.join() || 'nothing'}` }]
      }),
  },
  {
    damage: 'lost',
    rule: 'each time that a client was given an answer is in the log',
    find: ({ stories, evidence: { attempts, readings } }) => {
      const given = [
        ...attempts.filter(({ ending }) => ending === 'answered'),
        ...readings.filter(({ commitment }) => commitment !== undefined),
      ]
      return [...Map.groupBy(given, ({ exchangeId }) => exchangeId ?? '')].flatMap(([exchangeId, times]) => {
        const noted = stories.get(exchangeId)?.others.filter(({ kind }) => kind === 'delivered').length ?? 0
        return noted >= times.length ? [] : [{ exchangeId, what: `given ${times.length} times, noted ${noted}` }]
      })
    },
  },
  {
    damage: 'lost',
    rule: 'each refusal that a client heard is in the log, with its code',
    find: ({ stories, evidence: { attempts } }) =>
      refusals(attempts)
        .filter(({ code = '' }) => !countedCodes.includes(code))
        .filter(({ exchangeId = '', code }) => !stories.get(exchangeId)?.others.some(event => event['code'] === code))
        .map(attempt => ({
          ...about(attempt),
          what: `told ${attempt.status} ${attempt.code}; the log does not say so`,
        })),
  },
  {
    damage: 'lost',
    rule: 'refusals before anybody was identified are in the log by their number',
    find: ({ evidence: { attempts, events } }) =>
      countedCodes.flatMap(code => {
        const heard = refusals(attempts).filter(attempt => attempt.code === code).length
        const counted = events
          .filter(event => event.kind === 'unidentified' && event['code'] === code)
          .reduce((sum, event) => sum + Number(event['count']), 0)
        return counted >= heard ? [] : [{ what: `${heard} times told ${code}; the log counts ${counted}` }]
      }),
  },
  {
    damage: 'contradictory',
    rule: 'the answer told is the answer in the log',
    find: index =>
      told(index, 'answered').flatMap(attempt => {
        const answered = storyTold(index, attempt)?.outcomes.find(({ kind }) => kind === 'answered')
        if (answered === undefined || areSame(answered['reply'], attempt.commitment)) return []
        return [{ ...about(attempt), what: `told ${attempt.commitment}, the log says ${String(answered['reply'])}` }]
      }),
  },
  {
    damage: 'contradictory',
    rule: 'an answer belongs to its question',
    find: index =>
      told(index, 'answered', 'accepted').flatMap(attempt => {
        const whose = storyTold(index, attempt)?.n
        if (attempt.isRight !== false && (whose === undefined || whose === attempt.n)) return []
        return [{ ...about(attempt), what: `told the answer of question ${whose}, right: ${attempt.isRight}` }]
      }),
  },
  {
    damage: 'contradictory',
    rule: 'what was refused was not accepted',
    find: index =>
      told(index, 'refused', 'unreachable').flatMap(attempt => {
        const story = index.storyOfAttempt(attempt)
        if (story === undefined) return []
        return [{ ...about(attempt), exchangeId: story.exchangeId, what: `told ${attempt.code}, yet it was accepted` }]
      }),
  },
  {
    damage: 'contradictory',
    rule: 'a failure told is the failure in the log',
    find: index =>
      told(index, 'failed', 'expired').flatMap(attempt => {
        // Asked again with its key, the failure of the first exchange is told under the number of the second.
        const story = storyTold(index, attempt) ?? (index.storiesOf.get(attempt.n) ?? [])[0]
        const kind = story?.outcomes[0]?.kind
        if (kind === attempt.ending) return []
        return [{ ...about(attempt), what: `told ${attempt.ending} (${attempt.code}); the log says ${kind}` }]
      }),
  },
  {
    damage: 'contradictory',
    rule: 'what nobody knows is not told as a failure',
    find: index =>
      told(index, 'failed').flatMap(attempt => {
        const code = storyTold(index, attempt)?.outcomes[0]?.['code']
        return code === 'UNANSWERED' ? [{ ...about(attempt), what: `told ${attempt.code}; the log says ${code}` }] : []
      }),
  },
  {
    damage: 'contradictory',
    rule: 'what expired was not executed',
    find: ({ stories }) =>
      [...stories.values()]
        .filter(({ outcomes, executions }) => outcomes[0]?.kind === 'expired' && executions.length > 0)
        .map(story => ({ ...as(story), what: `expired, and executed by ${pidsOf(story)}` })),
  },
  {
    damage: 'contradictory',
    rule: 'what was executed had been accepted',
    find: ({ stories, evidence: { settledBefore } }) =>
      [...stories.values()]
        .filter(
          ({ exchangeId, acceptances, executions, effects }) =>
            acceptances.length === 0 && executions.length + effects.length > 0 && !settledBefore.has(exchangeId),
        )
        .map(story => ({ ...as(story), what: `executed by ${pidsOf(story)}, and never accepted` })),
  },
  {
    damage: 'contradictory',
    rule: 'what was accepted had been asked',
    find: ({ stories, attemptsOf }) =>
      accepted(stories)
        .filter(({ n }) => n === undefined || !attemptsOf.has(n))
        .map(story => ({ ...as(story), what: 'no client asked this' })),
  },
  {
    damage: 'duplicated',
    rule: 'a key has one effect',
    find: ({ attemptsOf, storiesOf, evidence }) => {
      const effects = Map.groupBy(evidence.effects, ({ registration }) => registration)
      return [...attemptsOf].flatMap(([n, [first]]) => {
        if (first?.key === undefined || !effectModes.includes(first.service)) return []
        const executed = (storiesOf.get(n) ?? []).filter(({ executions }) => executions.length > 0)
        const count = Math.max(executed.length, effects.get(registrationOf(n))?.length ?? 0)
        const [, second] = executed
        return count < 2
          ? []
          : [{ n, ...(second === undefined ? {} : { exchangeId: second.exchangeId }), what: `${count} effects` }]
      })
    },
  },
  {
    damage: 'contradictory',
    rule: 'a key has one answer',
    find: ({ attemptsOf }) =>
      [...attemptsOf].flatMap(([n, attempts]) => {
        const answers = attempts.filter(({ ending, key }) => ending === 'answered' && key !== undefined)
        // The same words: a question that may be asked twice (no effect) may have two exchanges after the index was lost.
        const isEffect = effectModes.includes(attempts[0]?.service ?? '')
        const exchanges = new Set(answers.map(({ exchangeId }) => exchangeId))
        const commitments = new Set(answers.map(({ commitment }) => commitment))
        const isOne = exchanges.size < 2 ? commitments.size < 2 : !isEffect
        return isOne ? [] : [{ n, what: `${exchanges.size} exchanges, ${commitments.size} answers` }]
      }),
  },
  {
    damage: 'lost',
    rule: 'an exchange can be read at its status URL afterwards',
    find: ({ stories }) =>
      accepted(stories).flatMap(story =>
        story.readings
          .filter(({ status, outcome }) => status !== 200 || outcome === 'accepted')
          .map(({ status, outcome, code }) => ({
            ...as(story),
            what: `its status is ${status} ${outcome ?? code ?? ''}`,
          })),
      ),
  },
  {
    damage: 'contradictory',
    rule: 'a status tells what the log says',
    find: ({ stories }) =>
      [...stories.values()].flatMap(story =>
        story.readings
          .filter(({ status, outcome, commitment }) => {
            const [settled] = story.outcomes
            if (status !== 200) return false
            if (settled === undefined) return outcome !== 'refused'
            return outcome !== settled.kind || (commitment !== undefined && !areSame(commitment, settled['reply']))
          })
          .map(({ outcome }) => ({
            ...as(story),
            what: `its status says ${outcome}, the log ${story.outcomes[0]?.kind ?? 'nothing'}`,
          })),
      ),
  },
  {
    damage: 'contradictory',
    rule: 'the books balance',
    find: ({ evidence: { reconciliation, settledBefore } }) => [
      ...(reconciliation.open + reconciliation.overdue === 0
        ? []
        : [{ what: `${reconciliation.open} open, ${reconciliation.overdue} overdue` }]),
      ...reconciliation.gaps
        .filter(({ exchange }) => !settledBefore.has(exchange))
        .map(({ exchange, kind, detail }) => ({ exchangeId: exchange, what: `${kind}: ${detail}` })),
    ],
  },
  {
    damage: 'contradictory',
    rule: 'the export verifies offline',
    find: ({ evidence: { exportFault } }) => (exportFault === '' ? [] : [{ what: exportFault }]),
  },
]

/** Told before it is known who asks. */
const countedCodes: readonly string[] = ['NDX_GATEWAY_OVERLOADED', 'NDX_GATEWAY_STOPPING', 'NDX_ADDRESS_LIMITED']

const refusals = (attempts: readonly Attempt[]): Attempt[] =>
  attempts.filter(({ ending, code }) => ending === 'refused' && code !== undefined)

const accepted = (stories: Index['stories']): Story[] =>
  [...stories.values()].filter(({ acceptances }) => acceptances.length > 0)

const told = ({ evidence }: Index, ...endings: NonNullable<Attempt['ending']>[]): Attempt[] =>
  evidence.attempts.filter(({ ending }) => ending !== undefined && endings.includes(ending))

/** The exchange that the client was told of: its own, or the first with its key. */
const storyTold = ({ stories }: Index, { exchangeId }: Attempt): Story | undefined =>
  exchangeId === undefined ? undefined : stories.get(exchangeId)

/** Commitments of two months are under two keys and cannot be compared. */
const areSame = (one: unknown, other: unknown): boolean =>
  one === other || String(one).split('.')[0] !== String(other).split('.')[0]

const as = ({ n, exchangeId }: Story): Pick<Violation, 'n' | 'exchangeId'> => ({
  exchangeId,
  ...(n === undefined ? {} : { n }),
})

const about = ({ n, exchangeId }: Attempt): Pick<Violation, 'n' | 'exchangeId'> => ({
  n,
  ...(exchangeId === undefined ? {} : { exchangeId }),
})

const pidsOf = ({ executions }: Story): string => executions.map(({ pid }) => `process ${pid}`).join(', ') || 'nobody'
