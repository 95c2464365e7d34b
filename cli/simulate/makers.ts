// The makers by service. A new register: one line here, if its questions need more than the ones beside it say.
import { isSameName } from '#contracts/person-name.ts'
import { formatPersonalId, parsePersonalId } from '#contracts/personal-id.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type Draws } from './draws.ts'
import { type Maker, type MakerTools } from './maker.ts'

export const makers: Readonly<Record<string, Maker>> = Object.freeze({
  'population/identity-verification': {
    make: tools => ({ request: identityOf(drawPerson(tools)), expects: { matched: true } }),
    writes: { name: 'fullName', birthDate: 'dateOfBirth' },
  },
  'population/citizen-record': {
    make: tools => {
      const person = drawPerson(tools)
      return { request: { personalId: person.personalId }, expects: { found: true, ...asJson(person) } }
    },
    miss: tools => ({ request: { personalId: drawUnusedId(tools) }, expects: { found: false } }),
  },
  'population/personal-id-issuance': { make: drawBirth },
  'business-registration/enterprise-record': {
    make: tools => {
      const enterprise = drawEnterprise(tools)
      return {
        request: { enterpriseCode: enterprise.enterpriseCode },
        expects: { found: true, ...asJson(enterprise) },
      }
    },
  },
} satisfies Record<string, Maker>)

export const drawPerson = ({ nation, draws }: Pick<MakerTools, 'nation' | 'draws'>): Person =>
  nation.person(draws.below(nation.population))

export const drawEnterprise = ({ nation, draws }: MakerTools): Enterprise =>
  nation.enterprise(draws.below(nation.enterpriseCount))

export const identityOf = ({ personalId, fullName, dateOfBirth }: Person) => ({ personalId, fullName, dateOfBirth })

/** Somebody's name that is not this one, marks or no marks. */
export function drawOtherName(name: string, nation: Nation, draws: Draws): string {
  for (;;) {
    const { fullName } = drawPerson({ nation, draws })
    if (!isSameName(fullName, name, { diacritics: 'fold' })) return fullName
  }
}

/** A number of the right form that nobody has. */
export function drawUnusedId({ nation, draws }: MakerTools): string {
  for (;;) {
    const parts = parsePersonalId(drawPerson({ nation, draws }).personalId, 'simulated')
    if (parts === undefined) continue
    const personalId = formatPersonalId({ ...parts, serial: draws.below(1_000_000) }, 'simulated')
    if (nation.findPerson(personalId) === undefined) return personalId
  }
}

/** A child of last December, so that it is born whenever this is run. */
function drawBirth({ nation, draws, label }: MakerTools) {
  const { fullName, sex, birthProvince } = drawPerson({ nation, draws })
  const day = String(1 + draws.below(31)).padStart(2, '0')
  return {
    request: {
      birthRegistration: `TP.${birthProvince.code}/2025-${label}`,
      fullName,
      dateOfBirth: `2025-12-${day}`,
      sex,
      provinceCode: birthProvince.code,
    },
    expects: {},
  }
}

const asJson = (record: Person | Enterprise): Record<string, never> =>
  ({ ...record }) as unknown as Record<string, never>
