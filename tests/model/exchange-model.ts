// The exchange protocol as a model: every interleaving of one client that asks twice with one Idempotency-Key (the second time
// at another gateway, whenever it likes), its provider's hosts, the road, the index of keys, the ledger with its reaper, and a
// clock. Each rule of the protocol can be left out, to see what it is for. Not in the model: what is in a question or an answer,
// more than one key, deferred work, the end of a key's window, Kafka's own replication, and an index that forgets unnoticed.
import {
  type Attempt,
  at,
  brokenAtEnd,
  brokenIn,
  type Delivery,
  type Exchange,
  firstState,
  type Id,
  type Invariant,
  ids,
  invariants,
  isAnswer,
  nameOf,
  type Outcome,
  type State,
  truthful,
} from './exchange-state.ts'
import { type Exploration, explore, type Step } from './explore.ts'

/*
 * How to read a trace: it is a shortest way to break an invariant, one step a line, in the order in which it happened.
 * Attempt 1 is the client's first, attempt 2 its retry; exchange 1 is what attempt 1 begins, exchange 2 what attempt 2 begins.
 * Whoever is not named does nothing meanwhile, so a stall (SIGSTOP), a slow ledger, a 504 and a client that hangs up need no
 * step of their own. "Time passes" moves every exchange on: before its deadline, within the grace after it, past the grace.
 * Steps with ⚡ are faults, of which a run has at most `faultsMax`; all others happen on a good day.
 */

export const rules = {
  answersFromRecord: '200 only from the reply record in the log',
  firstOutcomeWins: 'the first terminal record is the outcome, for every reader',
  namedPartition: 'every outcome goes to the reply partition that the request named',
  refusesOnlyIfSure: '503 only when the record is surely not written',
  keyBeforePublish: 'the key is begun in the index before the request is published',
  beginsIfAbsent: 'a key is begun only if it is absent, in one step',
  releasesOwnKeyOnly: 'a gateway takes back only a key that is still its own',
  takesOverAfterGrace: 'a key is taken over only after deadline and grace',
  takesOverCaughtUp: 'a key is taken over only when the ledger has read so far',
  youngIndexAsks: 'a young index asks the ledger about a key that it does not know',
  youngIndexWaits: 'it begins none until the ledger has read past its birth by deadline and grace',
  lateClaimsNoKey: 'a request written after deadline and grace is not what the ledger names for its key',
  oneDeadline: 'a request carries the deadline with which its key was begun, however late it is published',
  hostKeepsDeadline: 'a host executes nothing after the deadline',
  oneClock: 'a host tells the time by the road’s clock, to within the grace',
  expiredOnlyAtFirst: 'a host says expired only when no other can have read the record before',
  effectOnce: 'an effect is idempotent by exchange id',
  commitAfterReply: 'a host commits a record after its reply is written',
  reaper: 'after deadline and grace the ledger writes an outcome where there is none',
  reapsOnlyAccepted: 'the reaper looks at accepted requests only',
  reaperIsUnsure: 'the reaper says UNANSWERED, not expired',
} as const
export type Rule = keyof typeof rules

export interface ModelOptions {
  without?: readonly Rule[]
  /** Look at these alone; default: all. */
  watch?: readonly Invariant[]
  faultsMax?: number
  /** Goes every way, also those that can make no difference; always so when a rule is left out. */
  isUnabridged?: boolean
}

export function exploreExchange(options: ModelOptions = {}): Exploration<State> {
  const { without = [], watch = invariants, faultsMax = 2, isUnabridged = without.length > 0 } = options
  const off = new Set(without)
  return explore<State>({
    first: firstState(faultsMax),
    nameOf,
    nextOf: state => {
      const next = nextOf(state, off).filter(
        ({ breaks }) => breaks === undefined || watch.includes(breaks as Invariant),
      )
      return isUnabridged ? next : next.map(step => ({ ...step, state: abridge(step.state) }))
    },
    brokenIn: state => brokenIn(state, watch),
    brokenAtEnd: state => brokenAtEnd(state, watch),
  })
}

/** What the parts of the model need to add their next steps; a fault is counted, a step is not. */
interface Turn {
  state: State
  has(rule: Rule): boolean
  step(label: string, change: Partial<State>): void
  fault(label: string, change: Partial<State>): void
  /** A client is told an outcome. That changes nothing: it may ask again. */
  tell(label: string, outcome: Outcome, of: Exchange): void
}

function nextOf(state: State, off: ReadonlySet<Rule>): Step<State>[] {
  const next: Step<State>[] = []
  const turn: Turn = {
    state,
    has: rule => !off.has(rule),
    step: (label, change) => next.push({ label, state: { ...state, ...change } }),
    fault: (label, change) => {
      if (state.faultsLeft === 0) return
      next.push({ label: `⚡ ${label}`, state: { ...state, faultsLeft: state.faultsLeft - 1, ...change } })
    },
    tell: (label, outcome, { replies }) => {
      if (outcome !== replies[0]) next.push({ label: `${label} ${outcome}`, state, breaks: truthful })
    },
  }
  for (const id of ids) {
    addGateway(turn, id)
    addHosts(turn, id)
    addLedger(turn, id)
  }
  addWorld(turn)
  return next
}

const withExchange = (
  { exchanges: [one, two] }: State,
  id: Id,
  change: Partial<Exchange>,
): Pick<State, 'exchanges'> => ({
  exchanges: id === 1 ? [{ ...one, ...change }, two] : [one, { ...two, ...change }],
})
const withAttempt = (
  { attempts: [one, two] }: State,
  id: Id,
  phase: Attempt['phase'],
  isRefused = false,
): Pick<State, 'attempts'> => ({
  attempts: id === 1 ? [{ phase, isRefused }, two] : [one, { phase, isRefused }],
})

/** Attempt `id` at its gateway. */
function addGateway(turn: Turn, id: Id): void {
  const { state, step } = turn
  const { phase } = at(state.attempts, id)
  if (at(state.exchanges, id).isFlying) {
    step(`the uncertain request ${id} is written`, write(state, id, 1))
    step(`the uncertain request ${id} is not written`, withExchange(state, id, { isFlying: false }))
  }
  if (phase === 'new' && (id === 1 || state.attempts[0].phase !== 'new')) addAsking(turn, id)
  if (phase === 'cleared') addBeginning(turn, id)
  if (phase === 'begun') addPublishing(turn, id)
  if (phase === 'keyless') step(`gateway ${id} begins the key`, { index: id, ...withAttempt(state, id, 'sent') })
  if (phase === 'sent') addAnswering(turn, id)
  if (phase === 1 || phase === 2) addAttached(turn, id, phase)
  if (phase === 'cleared' || phase === 'begun') step(`gateway ${id} dies`, withAttempt(state, id, 'ended'))
}

/** Attach to the exchange that has the key, begin one, or refuse: a young index may have forgotten one. */
function addAsking(turn: Turn, id: Id): void {
  const { state, has, step } = turn
  const who = `attempt ${id} reaches gateway ${id}, which`
  const enter = (phase: Attempt['phase']) => withAttempt(state, id, phase)
  if (state.index !== 0) step(`${who} attaches to exchange ${state.index}`, enter(state.index))
  else if (!has('keyBeforePublish')) step(`${who} finds no key`, begin(state, id, 0))
  else if ((state.indexAge < 0 || !has('youngIndexAsks')) && has('beginsIfAbsent')) addBeginning(turn, id)
  else if (state.indexAge < 0 || !has('youngIndexAsks')) step(`${who} finds no key`, enter('cleared'))
  else if (state.claim !== 0)
    step(`${who} hears of exchange ${state.claim} from the ledger, and attaches`, enter(state.claim))
  else if (isCaughtUp(state) && (state.indexAge === 2 || !has('youngIndexWaits')))
    step(`${who} finds no key, nor does the ledger know it`, enter('cleared'))
  else step(`${who} answers 503: the index is young`, enter('ended'))
}

function addBeginning({ state, has, step }: Turn, id: Id): void {
  if (state.index !== 0 && has('beginsIfAbsent'))
    step(
      `gateway ${id} finds the key begun and attaches to exchange ${state.index}`,
      withAttempt(state, id, state.index),
    )
  else step(`gateway ${id} begins the key for exchange ${id}`, begin(state, id, id))
}

const begin = (state: State, id: Id, index: State['index']): Partial<State> => ({
  index,
  ...withExchange(state, id, { age: 0 }),
  ...withAttempt(state, id, 'begun'),
})

/** All that was written within the grace of its exchange has been read. */
const isCaughtUp = ({ exchanges }: State): boolean =>
  exchanges.every(({ written, isSeen }) => written !== 'in time' || isSeen)

function addPublishing({ state, has, step, fault }: Turn, id: Id): void {
  const publishes = `gateway ${id} publishes request ${id}`
  const sent = withAttempt(state, id, 'sent')
  const refused = withAttempt(state, id, 'ended', true)
  step(publishes, {
    ...write(has('oneDeadline') ? state : { ...state, ...withExchange(state, id, { age: 0 }) }, id, 1),
    ...(has('keyBeforePublish') ? sent : withAttempt(state, id, 'keyless')),
  })
  fault(`${publishes}; it is written twice, since an acknowledgement is lost`, { ...write(state, id, 2), ...sent })
  fault(`${publishes}; whether it is written is uncertain`, {
    ...withExchange(state, id, { isFlying: true }),
    ...(has('refusesOnlyIfSure') ? sent : refused),
  })
  fault(`${publishes}; it is surely not written: the gateway takes its key back and answers 503`, {
    index: state.index === id || !has('releasesOwnKeyOnly') ? 0 : state.index,
    ...refused,
  })
}

function write(state: State, id: Id, copies: number): Pick<State, 'exchanges'> {
  const { written, age, pending } = at(state.exchanges, id)
  return withExchange(state, id, {
    isFlying: false,
    written: written || (age === 2 ? 'late' : 'in time'),
    pending: pending + copies,
  })
}

function addAnswering({ state, has, tell }: Turn, id: Id): void {
  const exchange = at(state.exchanges, id)
  const outcome = exchange.replies.at(has('firstOutcomeWins') ? 0 : -1)
  if (outcome) tell(`gateway ${id} reads its reply and answers`, outcome, exchange)
  const heard = exchange.deliveries.find(({ says }) => isAnswer(says))?.says
  if (heard && !has('answersFromRecord')) tell(`gateway ${id} hears from the host and answers`, heard, exchange)
}

/** The status from the ledger; or the key itself, when its exchange can no longer come about. */
function addAttached({ state, has, step, tell }: Turn, id: Id, of: Id): void {
  const exchange = at(state.exchanges, of)
  if (exchange.outcome) tell(`gateway ${id} asks the ledger and answers`, exchange.outcome, exchange)
  if (exchange.isSeen || state.index !== of) return
  if (exchange.age < (has('takesOverAfterGrace') ? 2 : 1) || (has('takesOverCaughtUp') && !isCaughtUp(state))) return
  step(`gateway ${id} takes the key over from exchange ${of} for exchange ${id}`, begin(state, id, id))
}

function addHosts(turn: Turn, id: Id): void {
  const { state, step } = turn
  const { pending, deliveries } = at(state.exchanges, id)
  if (state.isProviderGone) return
  if (pending > 0)
    for (const says of checksOf(turn, id))
      step(
        `a host reads request ${id} and will ${says === '' ? 'execute it' : `say ${says}`}`,
        withExchange(state, id, {
          pending: pending - 1,
          isDelivered: true,
          deliveries: [...deliveries, { says, isOrphan: false }],
        }),
      )
  for (const [i, delivery] of deliveries.entries()) addDelivery(turn, id, i, delivery)
}

/** What a host may decide when it reads a request: '' is to execute it. */
function checksOf({ state, has }: Turn, id: Id): ('' | Outcome)[] {
  const { age, isDelivered } = at(state.exchanges, id)
  const no = isDelivered && has('expiredOnlyAtFirst') ? 'unsure' : 'expired'
  if (!has('hostKeepsDeadline')) return ['']
  if (!has('oneClock')) return ['', no]
  // Clocks differ by less than the grace, and by less than it takes until another host reads the record again.
  if (age === 1 && !isDelivered) return ['', no]
  return age === 0 ? [''] : [no]
}

function addDelivery({ state, has, step, fault }: Turn, id: Id, i: number, { says, isOrphan }: Delivery): void {
  const exchange = at(state.exchanges, id)
  const { deliveries, pending, replies } = exchange
  const others = deliveries.toSpliced(i, 1)
  const again = pending + (isOrphan || !has('commitAfterReply') ? 0 : 1)
  const replied = { replies: put(replies, says || 'unsure', has), deliveries: others }
  if (says === '') {
    const effects = has('effectOnce') ? 1 : exchange.effects + 1
    const executed: Delivery = { says: effects === 1 ? 'answered 1' : 'answered 2', isOrphan }
    step(`a host executes request ${id}`, withExchange(state, id, { effects, deliveries: [...others, executed] }))
  } else step(`a host replies ${says} to request ${id} and commits`, withExchange(state, id, replied))
  const next = says === '' ? 'executes' : 'replies'
  fault(
    `a host dies before it ${next} to request ${id}`,
    withExchange(state, id, { pending: again, deliveries: others }),
  )
  if (again === pending) return
  if (says !== '')
    fault(
      `a host replies ${says} to request ${id} and dies before it commits`,
      withExchange(state, id, { ...replied, pending: again }),
    )
  fault(
    `a host stalls before it ${next} to request ${id}, and another takes the partition`,
    withExchange(state, id, { pending: again, deliveries: [...others, { says, isOrphan: true }] }),
  )
}

/** Where the first outcome wins, nobody looks at a second one. */
const put = (replies: readonly Outcome[], outcome: Outcome, has: Turn['has']): Outcome[] =>
  replies.length > 0 && (has('firstOutcomeWins') || replies.at(-1) === outcome) ? [...replies] : [...replies, outcome]

/** Reads each partition in its order, but the partitions in any order; and reaps. */
function addLedger({ state, has, step }: Turn, id: Id): void {
  const { written, isSeen, replies, elsewhere, outcome, age } = at(state.exchanges, id)
  if (written !== '' && !isSeen)
    step(`the ledger reads request ${id}`, {
      ...withExchange(state, id, { isSeen: true }),
      claim: state.claim === 0 && (written === 'in time' || !has('lateClaimsNoKey')) ? id : state.claim,
    })
  const reads = (says: Outcome): void =>
    step(`the ledger reads the reply ${says} to request ${id}`, withExchange(state, id, { outcome: says }))
  const last = replies.at(-1)
  if (last && (outcome === '' || !has('firstOutcomeWins'))) reads(last)
  if (elsewhere && outcome === '') reads(elsewhere)
  if (!has('reaper') || age < 2 || outcome !== '' || !(isSeen || !has('reapsOnlyAccepted'))) return
  const says = has('reaperIsUnsure') ? 'unsure' : 'expired'
  step(
    `the reaper replies ${says} to request ${id}`,
    withExchange(state, id, has('namedPartition') ? { replies: put(replies, says, has) } : { elsewhere: says }),
  )
}

function addWorld({ state, step, fault }: Turn): void {
  const older = (age: number): number => (age === 0 || age === 1 ? age + 1 : age)
  const [one, two] = state.exchanges
  if (older(one.age) !== one.age || older(two.age) !== two.age || older(state.indexAge) !== state.indexAge)
    step('time passes', {
      indexAge: older(state.indexAge),
      exchanges: [
        { ...one, age: older(one.age) },
        { ...two, age: older(two.age) },
      ],
    })
  if (state.indexAge < 0 && state.index !== 0) fault('the index is flushed', { index: 0, indexAge: 0 })
  if (!state.isProviderGone)
    fault('the provider is gone for good', {
      isProviderGone: true,
      exchanges: [
        { ...one, pending: 0, deliveries: [] },
        { ...two, pending: 0, deliveries: [] },
      ],
    })
}

/** Forgets what can make no difference any more: the whole protocol's rules say that it makes none. */
const abridge = (state: State): State => ({
  ...state,
  exchanges: [abridgeExchange(state.exchanges[0]), abridgeExchange(state.exchanges[1])],
})

/** With an outcome and the effect done, or the deadline past, another delivery adds nothing. */
function abridgeExchange(exchange: Exchange): Exchange {
  if (exchange.replies.length === 0) return exchange
  const isDone = exchange.effects > 0
  const deliveries = isDone ? [] : exchange.deliveries.filter(({ says }) => says === '')
  return {
    ...exchange,
    deliveries,
    pending: isDone || exchange.age === 2 ? 0 : exchange.pending,
    isDelivered: isDone || exchange.isDelivered,
    outcome: exchange.replies[0] ?? '',
  }
}
