// The n-th question of the load, a pure function of n: about somebody else each, so that no two questions share a subject, and its
// answer is known. Effects are asked with an Idempotency-Key, as an agency should.
import { type JsonObject } from '#contracts/json.ts'
import { createNation } from '#nation/nation.ts'
import { spell } from './traces.ts'

export interface Question {
  n: number
  service: string
  body: { purpose: string; procedure?: string; request: JsonObject }
  /** Its Idempotency-Key. */
  key?: string
  /** Asked with `Prefer: respond-async`. */
  isAsync: boolean
  /** Asked at both gateways at once, with the one key. */
  isTwofold: boolean
  isRight(reply: JsonObject): boolean
}

type Kind = 'match' | 'match-keyed' | 'match-async' | 'record' | 'enterprise' | 'effect' | 'effect-async' | 'issuance'

/** In turn. */
const mix: readonly Kind[] = [
  ...([
    'match',
    'effect',
    'match',
    'record',
    'match',
    'effect',
    'match',
    'match-keyed',
    'effect-async',
    'match',
  ] as const),
  ...([
    'record',
    'match',
    'effect',
    'match',
    'issuance',
    'match-async',
    'record',
    'match',
    'effect',
    'enterprise',
  ] as const),
]
/** Every hundredth is twofold, and an effect. */
const twofoldEvery = 100
const twofoldAt = 18
const firstPerson = 1_000_000
const nation = createNation({ seed: 1 })

/** @param run tells the keys of one run from another's */
export function questionOf(n: number, run: string): Question {
  const kind = mix[n % mix.length] as Kind
  const isKeyed = kind === 'match-keyed' || kind.startsWith('effect') || kind === 'issuance'
  return {
    n,
    ...askedBy(kind, n),
    ...(isKeyed ? { key: `${run}-${n}` } : {}),
    isAsync: kind.endsWith('-async'),
    isTwofold: n % twofoldEvery === twofoldAt,
  }
}

function askedBy(kind: Kind, n: number): Pick<Question, 'service' | 'body' | 'isRight'> {
  if (kind.startsWith('match')) return match(n)
  if (kind.startsWith('effect')) return effect(n)
  if (kind === 'record') return record(n)
  return kind === 'enterprise' ? enterprise(n) : issuance(n)
}

function match(n: number) {
  const { personalId, fullName, dateOfBirth } = nation.person(firstPerson + n)
  return {
    service: 'population/identity-verification',
    body: { purpose: 'social-insurance-enrolment', request: { personalId, fullName, dateOfBirth } },
    isRight: (reply: JsonObject) => reply['matched'] === true,
  }
}

function record(n: number) {
  const { personalId, fullName, dateOfBirth } = nation.person(firstPerson + n)
  return {
    service: 'population/citizen-record',
    body: { purpose: 'social-insurance-enrolment', procedure: '1.002759', request: { personalId } },
    isRight: (reply: JsonObject) => reply['fullName'] === fullName && reply['dateOfBirth'] === dateOfBirth,
  }
}

function enterprise(n: number) {
  const { enterpriseCode, name } = nation.enterprise(n)
  return {
    service: 'business-registration/enterprise-record',
    body: { purpose: 'public-service-intake', request: { enterpriseCode } },
    isRight: (reply: JsonObject) => reply['name'] === name,
  }
}

/** What the effect's request names; `readEffects` has it too. */
export const registrationOf = (n: number): string => `CT-${spell(n, 14)}`

function effect(n: number) {
  const registration = registrationOf(n)
  return {
    service: 'population/residence-registration',
    body: { purpose: 'residence-registration', request: { registration } },
    isRight: (reply: JsonObject) => reply['registration'] === registration,
  }
}

/** Deferred: answered a second later, from the register's own store. */
function issuance(n: number) {
  const { fullName, sex } = nation.person(firstPerson + n)
  const request = {
    birthRegistration: `TP.001/2025-${n}`,
    fullName,
    dateOfBirth: '2025-03-09',
    sex,
    provinceCode: '001',
  }
  return {
    service: 'population/personal-id-issuance',
    body: { purpose: 'birth-registration', procedure: '1.001193', request },
    isRight: (reply: JsonObject) => typeof reply['personalId'] === 'string',
  }
}
