// The world of the exchange model: what a state holds, what must be true of every state, and when two states are the same.
// What can happen in it is in exchange-model.ts.

/** unsure: failed with UNANSWERED · expired: surely not executed. */
export type Outcome = 'answered 1' | 'answered 2' | 'unsure' | 'expired'
const outcomes = ['', 'answered 1', 'answered 2', 'unsure', 'expired']
export type Id = 1 | 2

/** One host's handling of one delivery. */
export interface Delivery {
  /** What it is about to reply; '': it is about to execute. */
  says: Outcome | ''
  /** Another host has the partition by now: this one's commit is void. */
  isOrphan: boolean
}

export interface Exchange {
  /** -1 not begun · 0 before the deadline · 1 within the grace · 2 past it. */
  age: number
  /** An uncertain publish: it may still be written. */
  isFlying: boolean
  /** When its first record was written. */
  written: '' | 'in time' | 'late'
  /** The ledger has read that record. */
  isSeen: boolean
  /** Deliveries to come: one a record, one more after a host's death. */
  pending: number
  /** Some host has read it. */
  isDelivered: boolean
  deliveries: Delivery[]
  /** How often the register was changed. */
  effects: number
  /** In the partition that the request named, and in another. */
  replies: Outcome[]
  elsewhere: Outcome | ''
  /** As the ledger sees it. */
  outcome: Outcome | ''
}

/** cleared: it may begin the key · keyless: published before the key was begun · 1, 2: attached to that exchange */
const phases = ['new', 1, 2, 'cleared', 'begun', 'keyless', 'sent', 'ended'] as const
export interface Attempt {
  phase: (typeof phases)[number]
  /** Its client was told 503 about the exchange that it had begun. */
  isRefused: boolean
}

export interface State {
  attempts: readonly [Attempt, Attempt]
  exchanges: readonly [Exchange, Exchange]
  /** The exchange that the index names for the key; 0: none. */
  index: 0 | Id
  /** The same of the ledger. */
  claim: 0 | Id
  /** Age of the index, as an exchange begun with it: -1 old · 0, 1, 2 since it was flushed. */
  indexAge: number
  isProviderGone: boolean
  faultsLeft: number
}

export const ids = [1, 2] as const
export const at = <T>(pair: readonly [T, T], id: number): T => pair[id === 1 ? 0 : 1]
export const isAnswer = (outcome: string): boolean => outcome.startsWith('answered')

/** What must hold in every state. */
const always = {
  'one outcome for every reader': ({ exchanges }) =>
    exchanges.every(({ outcome, replies }) => outcome === '' || outcome === replies[0]),
  'a refused or expired question is never executed': ({ exchanges, attempts }) =>
    exchanges.every(
      ({ replies, effects }, i) => effects === 0 || (replies[0] !== 'expired' && !attempts[i]?.isRefused),
    ),
  'a key is executed once': ({ exchanges: [one, two] }) => one.effects + two.effects <= 1,
  'what is executed is found by its key': ({ exchanges, index, indexAge, claim }) =>
    ids.every(id => {
      const { effects, isSeen } = at(exchanges, id)
      return effects === 0 || ((index === id || indexAge >= 0) && (claim === id || !isSeen))
    }),
  'no outcome without an accepted question': ({ exchanges }) =>
    exchanges.every(({ written, replies }) => written !== '' || replies.length === 0),
  'no question is lost before its deadline': ({ exchanges, isProviderGone }) =>
    exchanges.every(
      ({ written, age, replies, pending, deliveries }) =>
        isProviderGone || written === '' || age > 0 || replies.length + pending + deliveries.length > 0,
    ),
} satisfies Record<string, (state: State) => boolean>

/** What must hold when nothing changes any more. */
const atEnd = {
  'every accepted question settles': ({ exchanges }) =>
    exchanges.every(({ written, outcome }) => written === '' || outcome !== ''),
} satisfies Record<string, (state: State) => boolean>

/** What must hold whenever a gateway answers. */
export const truthful = 'a client is told what the log says'

export type Invariant = keyof typeof always | keyof typeof atEnd | typeof truthful
export const invariants = [...Object.keys(always), ...Object.keys(atEnd), truthful] as Invariant[]

type Checks = Partial<Record<string, (state: State) => boolean>>
const findBroken = (checks: Checks) => (state: State, watch: readonly Invariant[]) =>
  watch.find(name => checks[name]?.(state) === false)
export const brokenIn = findBroken(always)
export const brokenAtEnd = findBroken(atEnd)

const newAttempt: Attempt = { phase: 'new', isRefused: false }
const newExchange: Exchange = {
  age: -1,
  isFlying: false,
  written: '',
  isSeen: false,
  pending: 0,
  isDelivered: false,
  deliveries: [],
  effects: 0,
  replies: [],
  elsewhere: '',
  outcome: '',
}

/** Before anything was asked. */
export const firstState = (faultsMax: number): State => ({
  attempts: [newAttempt, newAttempt],
  exchanges: [newExchange, newExchange],
  index: 0,
  claim: 0,
  indexAge: -1,
  isProviderGone: false,
  faultsLeft: faultsMax,
})

/** Equal states have equal names. Short ones: most of the time goes into comparing them. */
export function nameOf({ exchanges: [one, two], attempts: [first, second], ...rest }: State): string {
  const { index, claim, indexAge, isProviderGone, faultsLeft } = rest
  const ofAttempts = `${phases.indexOf(first.phase)}${+first.isRefused}${phases.indexOf(second.phase)}${+second.isRefused}`
  return `${nameOfExchange(one)} ${nameOfExchange(two)} ${ofAttempts}${index}${claim}${+isProviderGone}${faultsLeft}${indexAge}`
}

function nameOfExchange(exchange: Exchange): string {
  const { age, isFlying, written, isSeen, pending, isDelivered, deliveries, effects, replies, elsewhere, outcome } =
    exchange
  let name = `${age}${written.length}${(isFlying ? 4 : 0) + (isSeen ? 2 : 0) + (isDelivered ? 1 : 0)}${pending}${effects}`
  for (const { says, isOrphan } of deliveries) name += `${isOrphan ? '?' : '!'}${outcomes.indexOf(says)}`
  for (const reply of replies) name += `,${outcomes.indexOf(reply)}`
  return `${name}.${outcomes.indexOf(elsewhere)}${outcomes.indexOf(outcome)}`
}
