// What a registered child is given by other registers, one after the other: its personal number, then its insurance card. Each is
// asked for until it is there, or surely not given; what is there already is not asked for.
import { type JsonObject } from '#contracts/json.ts'
import { type AdapterTools, AskError, type Settlement, type Standing } from '../adapter.ts'
import { type Postponement } from '../desk.ts'
import { type Work } from '../work-store.ts'
import { type Birth, type Births, replyOf, type Step } from './births.ts'

export interface ObtainingParts {
  births: Births
  tools: AdapterTools
}

interface Obtaining {
  step: Step
  service: string
  /** Of the entry that has all that comes before. */
  envelopeOf(birth: Birth): JsonObject
  /** Of the other register's reply. */
  member: string
  as: 'personalId' | 'insuranceCard'
  /** When it is not given. */
  failure: string
}

const purpose = 'birth-registration'
const obtainings: readonly Obtaining[] = [
  {
    step: 'personal_id',
    service: 'population/personal-id-issuance',
    envelopeOf: ({ registrationNumber, child: { fullName, dateOfBirth, sex, provinceCode } }) => ({
      purpose,
      procedure: '1.001193',
      request: { birthRegistration: registrationNumber, fullName, dateOfBirth, sex, provinceCode },
    }),
    member: 'personalId',
    as: 'personalId',
    failure: 'number-not-issued',
  },
  {
    step: 'insurance_card',
    service: 'social-insurance/insurance-card-issuance',
    envelopeOf: ({ registrationNumber, personalId = '', child: { fullName, dateOfBirth, sex } }) => ({
      purpose,
      procedure: '2.001023',
      request: { personalId, fullName, dateOfBirth, sex, birthRegistration: registrationNumber },
    }),
    member: 'insuranceCard',
    as: 'insuranceCard',
    failure: 'card-not-issued',
  },
]

/** Looked at soon, then ever more seldom: the other register may take days. */
const lookMinMs = 200
const lookMaxMs = 30_000
/** After an errand that came to nothing, the next: 1 s, 2 s, 4 s … */
const retryMinMs = 1_000
const retryMaxMs = 60_000
/** So long before its own deadline a question is settled with what is missing. */
const givenUpBeforeMs = 60_000

/** `birth`: entered. Rejects only when the store does. */
export async function obtainAll(work: Work, birth: Birth, parts: ObtainingParts): Promise<Settlement | Postponement> {
  let known = birth
  for (const obtaining of obtainings) {
    if (known[obtaining.as] !== undefined) continue
    const obtained = await obtain(obtaining, work, known, parts)
    if (typeof obtained !== 'string') return obtained
    parts.births.keep(birth.child.birthCertificate, obtaining.step, obtained)
    known = { ...known, [obtaining.as]: obtained }
  }
  return replyOf(known) as Settlement
}

/** What the other register gave; else what comes of the question now. */
async function obtain(
  { step, service, envelopeOf, member, failure }: Obtaining,
  { exchangeId, ticket }: Work,
  birth: Birth,
  { births, tools: { ask, now, log } }: ObtainingParts,
): Promise<string | Settlement | Postponement> {
  const errand = births.errand(exchangeId, step) ?? {
    attempt: 1,
    envelope: JSON.stringify(envelopeOf(birth)),
    begunMs: now(),
  }
  births.putErrand(exchangeId, step, errand)
  const isOverdue = now() >= ticket.deadlineMs - givenUpBeforeMs
  const key = `${exchangeId}:${step}:${errand.attempt}`
  const { envelope } = errand
  try {
    const standing = await ask({ service, envelope, key, ticket, exchangeId: errand.exchangeId })
    if (standing.outcome === 'answered') return String(standing.reply[member])
    if (standing.outcome === 'refused' || 'providerCode' in standing || isOverdue) {
      log.error({ event: 'errand-failed', exchangeId, service, ...factsOf(standing) }, 'it is not given')
      return { failure }
    }
    if (standing.outcome === 'accepted') {
      births.putErrand(exchangeId, step, { ...errand, exchangeId: standing.exchangeId })
      return { againAfterMs: lookAfterMs(now() - errand.begunMs) }
    }
    log.warn({ event: 'errand-ended', exchangeId, service, ...factsOf(standing) }, 'it is asked anew')
    births.putErrand(exchangeId, step, { attempt: errand.attempt + 1, envelope, begunMs: now() })
    return { againAfterMs: Math.min(retryMaxMs, retryMinMs * 2 ** (errand.attempt - 1)) }
  } catch (error) {
    if (!(error instanceof AskError)) throw error
    log.warn({ event: 'unasked', exchangeId, service, reason: error.message }, 'it is asked again')
    return isOverdue ? { failure } : { againAfterMs: Math.max(retryMinMs, error.retryAfterMs ?? 0) }
  }
}

/** Codes and ids; never what was answered. */
const factsOf = (standing: Standing): object => (standing.outcome === 'answered' ? {} : { errand: standing })

const lookAfterMs = (ageMs: number): number => Math.min(lookMaxMs, Math.max(lookMinMs, ageMs / 4))
