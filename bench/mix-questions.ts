// What the mix asks about: people and enterprises of the nation, drawn anew for every exchange, with the part of the answer that
// must be there. A service nobody wrote a question for is asked about people, about enterprises, or with its contract's own
// examples, whichever its request allows; an effect without a question of its own is left out.
import { type Contract } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Chance, within } from '#nation/chance.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

export interface Made {
  request: JsonObject
  /** Part of the answer's body. */
  holds: string
  isAsync?: true
  /** Asked again and again about the same subject. */
  isRepeated?: true
}

/** The n-th question; with the name of another person where `isWrong` and the service compares names. */
export type Maker = (n: number, isWrong: boolean) => Made

const topic = 703
const wrongName = 'Nguyễn Văn Không Phải'
const answered = '"outcome":"answered"'

export function createMakers(registry: Registry, nation: Nation, chance: Chance): ReadonlyMap<string, Maker> {
  const personOf = (n: number): Person => nation.person(within(chance.draw(n, topic), nation.population))
  const enterpriseOf = (n: number) => nation.enterprise(within(chance.draw(n, topic), nation.enterpriseCount))
  const nameOf = (person: Person, n: number): string => (n % 2 === 0 ? person.fullName : inCapitals(person.fullName))
  const known: Readonly<Record<string, Maker>> = {
    'population/identity-verification': (n, isWrong) => {
      const person = personOf(n)
      const { personalId, dateOfBirth } = person
      const fullName = isWrong ? wrongName : nameOf(person, n)
      return { request: { personalId, fullName, dateOfBirth }, holds: `"matched":${!isWrong}` }
    },
    'population/citizen-record': n => ({ request: { personalId: personOf(n).personalId }, holds: '"found":true' }),
    'business-registration/enterprise-record': n => ({
      request: { enterpriseCode: enterpriseOf(n).enterpriseCode },
      holds: '"found":true',
    }),
    'population/personal-id-issuance': n => {
      const { fullName, sex, birthProvince } = personOf(n)
      const registration = `TP.${birthProvince.code}/2026-B${n}`
      return {
        request: {
          birthRegistration: registration,
          fullName,
          dateOfBirth: '2026-01-05',
          sex,
          provinceCode: birthProvince.code,
        },
        holds: '"outcome":"accepted"',
        isAsync: true,
      }
    },
  }
  const makerOf = (contract: Contract): Maker | undefined => {
    const required = (contract.request['required'] ?? []) as string[]
    if (known[contract.id] !== undefined) return known[contract.id]
    if (contract.mode === 'effect') return undefined
    if (required.every(name => name in pick(personOf(0), 0)))
      return n => ({ request: choose(pick(personOf(n), n), required), holds: answered })
    if (required.every(name => name === 'enterpriseCode'))
      return n => ({ request: { enterpriseCode: enterpriseOf(n).enterpriseCode }, holds: answered })
    return fromExamples(contract)
  }
  const pick = (person: Person, n: number): JsonObject => ({
    personalId: person.personalId,
    fullName: nameOf(person, n),
    dateOfBirth: person.dateOfBirth,
  })
  return new Map(
    registry.services.flatMap(({ contract }) => {
      const maker = makerOf(contract)
      return maker === undefined ? [] : [[contract.id, maker] as const]
    }),
  )
}

const choose = (from: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.map(name => [name, from[name] ?? null]))

/** Those that do not use up anybody's guesses. */
function fromExamples({ examples }: Contract): Maker | undefined {
  const usable = examples.filter(({ reply }) => isJsonObject(reply) && reply['matched'] !== false)
  if (usable.length === 0) return undefined
  return n => ({ request: usable[n % usable.length]?.request ?? {}, holds: answered, isRepeated: true })
}

const inCapitals = (name: string): string =>
  name.toUpperCase().normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('Đ', 'D')
