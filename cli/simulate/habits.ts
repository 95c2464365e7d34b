// What real clients do to a question: names in capitals without diacritics, dates cut to the year, keys made of the time of day,
// numbers of the old card, an officer's code. Pure.
import { canonicalAgencyCode } from '#contracts/agency-code.ts'
import { type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { normalizeName } from '#contracts/person-name.ts'
import { type Body } from './bodies.ts'
import { timeOfDay } from './day-profile.ts'
import { type Draws } from './draws.ts'
import { type Maker } from './maker.ts'

/** Numbers below are for officers of a special kind. */
const officerFirst = 1000

/** The request as this body writes it; the answer is the same. */
export function writeAsBody(
  request: JsonObject,
  writes: Maker['writes'],
  { capitals, yearOnly }: Body,
  draws: Draws,
): JsonObject {
  const written = { ...request }
  const { name = '', birthDate = '' } = writes ?? {}
  const [fullName, date] = [written[name], written[birthDate]]
  const [isUpper, isCut] = [draws.percent(capitals), draws.percent(yearOnly)]
  if (isUpper && typeof fullName === 'string') written[name] = normalizeName(fullName, { diacritics: 'fold' })
  if (isCut && typeof date === 'string') written[birthDate] = date.slice(0, 4)
  return written
}

export interface Moment {
  quarter: number
  /** 0 … 899,999; no two questions of a client and service in one quarter hour have the same. */
  ms: number
  /** Of the run; '' where nobody asked before. */
  tag: string
}

/** An Idempotency-Key; as `HHmmssfff` it would repeat on the next day. */
export function keyOf({ keys }: Pick<Body, 'keys'>, { quarter, ms, tag }: Moment, draws: Draws): string {
  const time = `${tag}${timeOfDay(quarter, ms)}`
  return keys === 'time-of-day' ? time : `${String(draws.below(100_000)).padStart(5, '0')}-${time}`
}

/** One of the body's officers, e.g. `H26-1012`; undefined: a machine asks. */
export function officerOf(agency: string, { officers }: Pick<Body, 'officers'>, draws: Draws): string | undefined {
  return officers === 0 ? undefined : officerCode(agency, officerFirst + draws.below(officers))
}

export const officerCode = (agency: string, number: number): string =>
  `${(canonicalAgencyCode(agency) ?? 'G').slice(0, 15)}-${String(number).padStart(4, '0')}`

/** A request that its contract refuses, as clients get them wrong: the nine digits of the old card, else a member left out. */
export function spoil(request: JsonObject, { contract, checkRequest }: Service): JsonObject {
  const { subject } = contract
  const withOldNumber = { ...request, [subject]: String(request[subject]).slice(-9) }
  if (checkRequest(withOldNumber) !== undefined) return withOldNumber
  const { [subject]: _, ...without } = request
  return without
}
