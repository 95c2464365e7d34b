// Questions of every service: valid by its contract, as its maker makes them and as clients write them, and with expectations that
// the contract can tell; and the registers answer what is expected, of whom they have recorded wrongly too.
import { describe, expect, test } from 'vitest'
import { bodies } from '#cli/simulate/bodies.ts'
import { createDraws } from '#cli/simulate/draws.ts'
import { writeAsBody } from '#cli/simulate/habits.ts'
import { createExampleMaker, isSettledLater, type Maker, type MakerTools } from '#cli/simulate/maker.ts'
import { makers } from '#cli/simulate/makers.ts'
import { drawOtherName, drawUnusedId } from '#cli/simulate/people.ts'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createChance } from '#nation/chance.ts'
import { createNation } from '#nation/nation.ts'
import { openService } from '#tests/nation/register-walk.ts'

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

test('every service of the platform has a maker, and every maker is of a service that there is', () => {
  expect(Object.keys(makers).sort()).toEqual(registry.services.map(({ contract }) => contract.id as string).sort())
})

describe.each(services.filter(([, { contract }]) => !isSettledLater(contract)))('%s', id => {
  test('answers what is expected, as asked and as clients write it', async () => {
    const maker = makers[id] as Maker
    const { answer, close } = await openService(id, registry, nation)
    for (const number of numbers)
      for (const ask of [maker.make, maker.miss ?? maker.make]) {
        const { request, expects } = ask(toolsOf(number))
        const written = writeAsBody(request, maker.writes, body, createDraws(chance, number, 50))
        expect([request, answer(request)]).toEqual([request, expect.objectContaining(told(expects, id))])
        expect([written, answer(written)]).toEqual([written, expect.objectContaining(told(expects, id))])
      }
    await close()
  })
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

  test('is expected to say yes of nearly all that is there, and no of what is not', () => {
    const expected = numbers.map(number => maker.make(toolsOf(number)).expects)
    const refused = expected.filter(expects => (expects['matched'] ?? expects['found']) === false)
    expect(refused.length).toBeLessThan(numbers.length / 5)
    for (const number of numbers.slice(0, 20)) {
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

/** Of what is expected, what the contract can tell, but for a representative whom the register may know by an old number alone. */
function told(expects: JsonObject, id: string): JsonObject {
  const properties = Object.keys((registry.find(id)?.contract.reply['properties'] ?? {}) as JsonObject)
  const isTold = (name: string): boolean => properties.includes(name) && name !== 'legalRepresentativeId'
  return Object.fromEntries(Object.entries(expects).filter(([name]) => isTold(name)))
}

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
