// Questions of every service: valid by its contract, as its maker makes them and as clients write them, and with expectations that
// the contract can tell. Whether the answers are right the simulation itself finds out.
import { describe, expect, test } from 'vitest'
import { bodies } from '#cli/simulate/bodies.ts'
import { createDraws } from '#cli/simulate/draws.ts'
import { writeAsBody } from '#cli/simulate/habits.ts'
import { createExampleMaker, type Maker, type MakerTools } from '#cli/simulate/maker.ts'
import { drawOtherName, drawUnusedId, makers } from '#cli/simulate/makers.ts'
import { isSameName } from '#contracts/person-name.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createChance } from '#nation/chance.ts'
import { createNation } from '#nation/nation.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const nation = createNation({ seed: 1 })
const chance = createChance(7)
const toolsOf = (number: number): MakerTools => ({
  nation,
  draws: createDraws(chance, number, 0),
  label: `R1${number.toString(36)}N0`.toUpperCase(),
})
const numbers = Array.from({ length: 200 }, (_, number) => number)
const body = { ...bodies[0]!, capitals: 50, yearOnly: 50 }
const services = registry.services.map(service => [service.contract.id as string, service] as const)

test('every maker is of a service that there is', () => {
  expect(Object.keys(makers).filter(id => registry.find(id) === undefined)).toEqual([])
})

describe.each(services)('%s', (id, { contract, checkRequest }) => {
  const maker: Maker = makers[id] ?? createExampleMaker(contract, 1)

  test('is asked valid questions, however they are written', () => {
    for (const number of numbers) {
      const { request } = maker.make(toolsOf(number))
      expect(checkRequest(request)).toBeUndefined()
      expect(checkRequest(writeAsBody(request, maker.writes, body, createDraws(chance, number, 50)))).toBeUndefined()
      const missed = maker.miss?.(toolsOf(number))
      if (missed !== undefined) expect(checkRequest(missed.request)).toBeUndefined()
    }
  })

  test('is expected to say yes of what is there, and no of what is not', () => {
    for (const number of numbers.slice(0, 20)) {
      const { expects } = maker.make(toolsOf(number))
      // A contract's examples, which stand in for a maker, are of what is not there too.
      if (makers[id] !== undefined) expect([undefined, true]).toContain(expects['matched'] ?? expects['found'])
      const missed = maker.miss?.(toolsOf(number)).expects
      expect([undefined, false]).toContain(missed?.['matched'] ?? missed?.['found'])
    }
  })

  test('is asked the same for the same number, of an effect something new for another', () => {
    expect(maker.make(toolsOf(4))).toEqual(maker.make(toolsOf(4)))
    if (contract.mode === 'effect' && makers[id] !== undefined)
      expect(maker.make({ ...toolsOf(4), label: 'OTHER' }).request).not.toEqual(maker.make(toolsOf(4)).request)
  })
})

describe('a service without a maker', () => {
  const { contract } = registry.find('population/identity-verification')!

  test('is asked its examples, but for those that do not match', () => {
    const maker = createExampleMaker(contract, 1)
    const asked = numbers.map(number => maker.make(toolsOf(number)))
    const positive = contract.examples.filter(({ reply }) => reply['matched'] === true)
    expect(new Set(asked.map(({ request }) => request))).toEqual(new Set(positive.map(({ request }) => request)))
    expect(asked.every(({ expects }) => expects['matched'] === true)).toBe(true)
  })

  test('is expected nothing of where the nation is not the examples’', () => {
    expect(createExampleMaker(contract, 2).make(toolsOf(1)).expects).toEqual({})
  })
})

test('another name is another one without its marks too, and an unused number is nobody’s', () => {
  for (const number of numbers) {
    const { draws } = toolsOf(number)
    const { fullName } = nation.person(number)
    expect(isSameName(drawOtherName(fullName, nation, draws), fullName, { diacritics: 'fold' })).toBe(false)
    expect(nation.findPerson(drawUnusedId(toolsOf(number)))).toBeUndefined()
  }
})
