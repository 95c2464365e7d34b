// Insurance and contributions of many people: what population says of a person, what was paid and what the card says agree.
import { describe, expect, it } from 'vitest'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { ageOf } from '#nation/benefits.ts'
import { createChance } from '#nation/chance.ts'
import { contributionsOf, nowMonth, pensionMonthOf, pensionMonthsMin, periodsMax } from '#nation/contributions.ts'
import { type Insurance, insuranceOf } from '#nation/insurance.ts'
import { firstDayOf, lastDayOf, monthOf, monthText } from '#nation/months.ts'
import { createNation } from '#nation/nation.ts'
import { createPermutation } from '#nation/permutation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 40_000 }, (_, at) => nation.person((at * 2_477 + 5) % nation.population))
const insured = people.flatMap((person): [Person, Insurance][] => {
  const insurance = nation.insuranceOf(person)
  return insurance === undefined ? [] : [[person, insurance]]
})
const countOf = (holds: (person: Person, insurance: Insurance) => boolean): number =>
  insured.filter(([person, insurance]) => holds(person, insurance)).length
const share = (count: number): number => (100 * count) / people.length

describe('the insured', () => {
  it('are 91 of 100, some 19 in work and 3 or 4 with a pension', () => {
    expect(share(insured.length)).toBeCloseTo(91, 0)
    expect(share(countOf((_, { status }) => status === 'compulsory'))).toBeCloseTo(18.8, 0)
    expect(share(countOf((_, { status }) => status === 'pension'))).toBeCloseTo(3.4, 0)
    expect(share(countOf((_, { status }) => status === 'voluntary'))).toBeGreaterThan(1)
    expect(share(countOf((_, { status }) => status === 'paused'))).toBeGreaterThan(2)
  })

  it('are all children under six, with cards of their own from birth to the year in which they turn six', () => {
    for (const person of people.filter(one => yearOfBirthDate(one.dateOfBirth) >= 2020)) {
      const { status, card } = nation.insuranceOf(person) ?? {}
      expect([status, card?.number.slice(0, 3), card?.validFrom]).toEqual(['health', 'TE1', person.dateOfBirth])
      expect(Number(card?.validTo?.slice(0, 4)) - yearOfBirthDate(person.dateOfBirth)).toBe(6)
    }
  })

  it('have each a code of their own, and a card that says it, their home and their ground', () => {
    expect(new Set(insured.map(([, { insuranceCode }]) => insuranceCode)).size).toBe(insured.length)
    for (const [person, { status, insuranceCode, card, period }] of insured) {
      expect(insuranceCode).toMatch(/^00\d{8}$/)
      if (card === undefined) {
        expect(['voluntary', 'paused']).toContain(status)
        continue
      }
      expect(card.number.slice(5)).toBe(insuranceCode)
      expect(card.number.slice(3, 5)).toBe(person.residence.province.code)
      expect(card.validFrom <= '2026-01-01' && (card.validTo ?? '9') > '2026-01-01').toBe(true)
      expect(card.validFrom >= person.dateOfBirth).toBe(true)
      if (status === 'compulsory' || status === 'pension') {
        const ofWork = nation.publicEmploymentOf(person) === undefined ? 'DN4' : 'HC4'
        expect(card.number.slice(0, 3)).toBe(status === 'pension' ? 'HT3' : ofWork)
        expect(card.validFrom.slice(0, 7)).toBe(period.from)
      }
    }
  })

  it('are found by their card, and by no other number', () => {
    for (const [person, { card }] of insured.slice(0, 5000)) {
      if (card === undefined) continue
      expect(nation.findInsured(card.number)).toEqual(person)
      expect(nation.findInsured(`ZZ${card.number.slice(2)}`)).toBeUndefined()
    }
    for (const number of ['', 'GD479', 'GD4799912345678', 'gd4790012345678', 'GD47900123456789'])
      expect(nation.findInsured(number)).toBeUndefined()
  })

  it('with a benefit for their card are those whom the labour register pays', () => {
    for (const [person, { card }] of insured) {
      const kind = nation.benefitOf(person)?.kind
      if (card?.number.startsWith('CC')) expect(kind).toBe('war-invalid')
      if (card?.number.startsWith('BT')) expect(kind).toMatch(/^(orphan|social-pension|disability)$/)
    }
    for (const person of people)
      if (nation.benefitOf(person) !== undefined) expect(nation.insuranceOf(person)).toBeDefined()
  })
})

describe('contributions', () => {
  const careers = people.flatMap(person => {
    const periods = nation.contributionsOf(person)
    return periods.length === 0 ? [] : [{ person, periods }]
  })

  it('are paid in working age only, one period after the other, each as long as it says', () => {
    expect(careers.length).toBeGreaterThan(people.length / 5)
    for (const { person, periods } of careers) {
      expect(periods.length).toBeLessThanOrEqual(periodsMax)
      let before = monthOf(person.dateOfBirth) + 18 * 12
      for (const [at, { from, to, months, kind }] of periods.entries()) {
        expect(monthOf(from)).toBeGreaterThanOrEqual(before)
        if (to === undefined) expect(at).toBe(periods.length - 1)
        before = to === undefined ? nowMonth : monthOf(to) + 1
        expect(before - monthOf(from)).toBe(months)
        expect(months).toBeGreaterThan(0)
        if (kind === 'paper-book') expect(before).toBeLessThanOrEqual(monthOf('2008-01'))
      }
      expect(before).toBeLessThanOrEqual(Math.min(pensionMonthOf(person), nowMonth))
    }
  })

  it('name enterprises that were registered before, and are active where the work goes on, or the public body', () => {
    for (const { person, periods } of careers.slice(0, 3000))
      for (const { kind, from, to, employer } of periods) {
        expect(employer === undefined).toBe(kind !== 'compulsory')
        if (employer === undefined) continue
        const body = nation.publicEmploymentOf(person)?.body
        if (to === undefined && body !== undefined) {
          expect(employer).toEqual(body)
          continue
        }
        const enterprise = nation.findEnterprise(employer.code)
        expect(enterprise?.name).toBe(employer.name)
        expect((enterprise?.registeredOn ?? '9').slice(0, 7) < from).toBe(true)
        if (to === undefined) expect(enterprise?.status).toBe('active')
      }
  })

  it('decide the status: who pays now, who is old enough and paid long enough, who does neither', () => {
    for (const { person, periods } of careers) {
      const { status, period } = nation.insuranceOf(person) ?? {}
      const months = periods.reduce((sum, one) => sum + one.months, 0)
      const last = periods.at(-1)
      const isPensioner = pensionMonthOf(person) < nowMonth && months >= pensionMonthsMin
      const paying = last?.kind === 'voluntary' ? 'voluntary' : 'compulsory'
      expect(status).toBe(isPensioner ? 'pension' : last?.to === undefined ? paying : 'paused')
      if (isPensioner) {
        expect(ageOf(person)).toBeGreaterThanOrEqual(person.sex === 'male' ? 60 : 55)
        expect(period?.from).toBe(monthText(pensionMonthOf(person)))
      }
      if (status === 'compulsory' || status === 'voluntary') expect(ageOf(person)).toBeLessThanOrEqual(62)
    }
  })
})

describe('whoever works for the state', () => {
  const workers = people.filter(person => nation.publicEmploymentOf(person) !== undefined)

  it('is insured through the body, and neither paused nor paid for being unable to work', () => {
    expect(workers.length).toBeGreaterThan(people.length / 100)
    for (const person of workers) {
      const { body, since } = nation.publicEmploymentOf(person) ?? { body: undefined, since: '' }
      const { status, card } = nation.insuranceOf(person) ?? {}
      expect([status, card?.number.slice(0, 3)]).toEqual(['compulsory', 'HC4'])
      const last = nation.contributionsOf(person).at(-1)
      expect(last).toMatchObject({ kind: 'compulsory', employer: body })
      expect(last?.from).toBe(since.slice(0, 7) < '2008-01' ? '2008-01' : since.slice(0, 7))
      expect(nation.benefitOf(person)?.kind ?? 'war-invalid').toBe('war-invalid')
    }
  })
})

describe('whoever works for a public body', () => {
  const chance = createChance(7)
  const body = { code: 'H26', name: 'Ủy ban nhân dân Hà Nội' }
  const codes = createPermutation(1, nation.population)
  const workers = people.filter(person => ageOf(person) >= 22 && ageOf(person) <= (person.sex === 'male' ? 60 : 56))

  it.each(['1995-03-01', '2007-12-01', '2008-01-01', '2019-07-01', '2025-12-01'])(
    'since %s pays in through it to this day, after what they did before, and has the card of the state’s employees',
    since => {
      for (const person of workers.filter(one => monthOf(since) >= monthOf(one.dateOfBirth) + 216).slice(0, 500)) {
        const parts = { chance, enterprise: nation.enterprise, publicWorkOf: () => ({ body, since }) }
        const contributions = contributionsOf(person, parts)
        const paid = contributions.filter(({ from }) => from >= since.slice(0, 7))
        expect(contributions.length).toBeLessThanOrEqual(periodsMax)
        expect(paid.at(-1)).toMatchObject({ kind: 'compulsory', employer: body })
        expect(paid.reduce((sum, { months }) => sum + months, 0)).toBe(nowMonth - monthOf(since))
        for (const { to, employer } of contributions.slice(0, -paid.length)) {
          expect(to !== undefined && to < since.slice(0, 7)).toBe(true)
          expect(employer).not.toEqual(body)
        }
        const { status, card } = insuranceOf(person, { contributions, benefit: undefined }, { chance, codes }) ?? {}
        expect([status, card?.number.slice(0, 3)]).toEqual(['compulsory', 'HC4'])
      }
    },
  )
})

describe('the month of a pension', () => {
  it.each([
    ['male', '1955-03-20', '2015-04'],
    ['female', '1960-01-02', '2015-02'],
    ['male', '1961-01-15', '2021-05'],
    ['female', '1966-01-15', '2021-06'],
    ['male', '1964-02-10', '2025-06'],
    ['male', '1990-12-01', '2053-01'],
    ['female', '1990-12-01', '2051-01'],
    ['male', '1950', '2010-02'],
  ] as const)('of a %s born %s is %s', (sex, dateOfBirth, month) => {
    expect(monthText(pensionMonthOf({ sex, dateOfBirth }))).toBe(month)
  })
})

describe('months', () => {
  it('are counted over years, and know their days', () => {
    expect([monthOf('2025-12-31') + 1, monthOf('2026')]).toEqual([nowMonth, nowMonth])
    expect([monthText(nowMonth - 1), firstDayOf(nowMonth)]).toEqual(['2025-12', '2026-01-01'])
    expect([lastDayOf(monthOf('2024-02')), lastDayOf(monthOf('2025-02'))]).toEqual(['2024-02-29', '2025-02-28'])
  })
})
