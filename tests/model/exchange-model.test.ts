// The exchange protocol, every interleaving of a small world (exchange-model.ts): nothing breaks while all rules hold, and
// something breaks without any one of them. What breaks is told with a shortest way to it.
import { describe, expect, test } from 'vitest'
import { exploreExchange, type ModelOptions, type Rule, rules } from './exchange-model.ts'
import { type Invariant, invariants } from './exchange-state.ts'

const faultsMax = 1

/** Every state was seen, and none breaks anything. */
function expectSound(options: ModelOptions, statesMin: number): void {
  const { states, ends, violation } = exploreExchange(options)
  const story = violation && [`Broken: ${violation.invariant}`, ...violation.trace].join('\n')
  expect(violation, story).toBeUndefined()
  expect(states).toBeGreaterThan(statesMin)
  expect(ends).toBeGreaterThan(100)
}

describe('with all rules nothing breaks', () => {
  test('whichever two faults come', () => expectSound({ faultsMax: 2 }, 30_000))

  test('whichever fault comes, when the model spares itself no way', () =>
    expectSound({ faultsMax, isUnabridged: true }, 15_000))
})

const executedOnce = 'a key is executed once'
const found = 'what is executed is found by its key'
const oneOutcome = 'one outcome for every reader'
const neverExecuted = 'a refused or expired question is never executed'
const toldTheLog = 'a client is told what the log says'

const breaks: Record<Rule, readonly Invariant[]> = {
  answersFromRecord: [toldTheLog],
  firstOutcomeWins: [oneOutcome, toldTheLog],
  namedPartition: [oneOutcome, toldTheLog],
  refusesOnlyIfSure: [neverExecuted],
  keyBeforePublish: [executedOnce, found],
  beginsIfAbsent: [executedOnce, found],
  releasesOwnKeyOnly: [found],
  takesOverAfterGrace: [executedOnce, found],
  takesOverCaughtUp: [executedOnce, found],
  youngIndexAsks: [executedOnce, found],
  youngIndexWaits: [executedOnce, found],
  lateClaimsNoKey: [found],
  oneDeadline: [executedOnce, found],
  hostKeepsDeadline: [executedOnce, found],
  oneClock: [neverExecuted, executedOnce, found],
  expiredOnlyAtFirst: [neverExecuted],
  effectOnce: [executedOnce],
  commitAfterReply: ['no question is lost before its deadline'],
  reaper: ['every accepted question settles'],
  reapsOnlyAccepted: ['no outcome without an accepted question'],
  reaperIsUnsure: [neverExecuted],
}
const cases = Object.entries(breaks).flatMap(([rule, names]) => names.map(name => [rule as Rule, name] as const))

describe('every rule is needed', () => {
  test.each(cases)('without %s it breaks: %s', (rule, invariant) => {
    const { states, violation } = exploreExchange({ without: [rule], watch: [invariant], faultsMax })
    expect(violation?.invariant, `of ${states} states none breaks it without the rule: ${rules[rule]}`).toBe(invariant)
    expect(violation?.trace.length).toBeGreaterThan(2)
  })

  test('and every invariant has a rule that guards it', () => {
    expect(new Set(Object.values(breaks).flat())).toEqual(new Set(invariants))
  })

  test('a trace can be read', () => {
    const { violation } = exploreExchange({ without: ['expiredOnlyAtFirst'], faultsMax })
    expect(violation).toMatchObject({
      invariant: neverExecuted,
      trace: [
        'gateway 1 begins the key for exchange 1',
        '⚡ gateway 1 publishes request 1; it is written twice, since an acknowledgement is lost',
        'a host reads request 1 and will execute it',
        'a host executes request 1',
        'time passes',
        'a host reads request 1 and will say expired',
        'a host replies expired to request 1 and commits',
      ],
    })
  })
})
