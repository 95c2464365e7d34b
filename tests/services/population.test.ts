// Relations and residence as the population register confirms them: every true one of thousands of people matches from both ends,
// others do not, and unknown numbers get the answer of a wrong claim.
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Person } from '#nation/person.ts'
import { type AdapterTools, type CreateHandler, type Question } from '#services/adapter.ts'
import { createHandler as createRelatives } from '#services/population/relative-verification.ts'
import { createHandler as createResidence } from '#services/population/residence-confirmation.ts'
import { nation } from '#tests/questions.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const people = Array.from({ length: 6_000 }, (_, i) => nation.person(i * 16_001))
const nobody = '001726999999'

/** Held to the contract on both sides. */
function asking(id: string, create: CreateHandler) {
  const service = registry.find(id)
  const handler = create({ nation } as AdapterTools)
  return (request: object, fields = ['matched', 'attributes']): JsonObject => {
    expect(service?.checkRequest(request as JsonObject)).toBeUndefined()
    const reply = handler(request as JsonObject, { fields: new Set(fields) } as unknown as Question) as JsonObject
    expect(service?.checkReply(reply)).toBeUndefined()
    return reply
  }
}
const relatives = asking('population/relative-verification', createRelatives)
const residence = asking('population/residence-confirmation', createResidence)

const isRelated = (person: string, relative: string, relation: string): boolean =>
  relatives({ personalId: person, relativeId: relative, relation })['matched'] === true

const relations = ['parent', 'child', 'spouse', 'sibling']
/** All that hold between the two. */
const between = (person: Person, relative: Person): string[] =>
  relations.filter(relation => isRelated(person.personalId, relative.personalId, relation))

describe('a relation', () => {
  test('that is one matches, from both ends, and no other does', () => {
    let siblings = 0
    for (const person of people) {
      const children = nation.childrenOf(person)
      const spouse = nation.findPerson(person.spouseId ?? '')
      if (spouse !== undefined)
        expect([between(person, spouse), between(spouse, person)]).toEqual([['spouse'], ['spouse']])
      for (const child of children)
        expect([between(person, child), between(child, person)]).toEqual([['child'], ['parent']])
      const [first, second] = children
      if (first === undefined || second === undefined) continue
      siblings++
      expect([between(first, second), between(second, first)]).toEqual([['sibling'], ['sibling']])
    }
    expect(siblings).toBeGreaterThan(500)
  })

  test('to a stranger or to oneself is none', () => {
    for (let i = 1; i < 500; i++) {
      const [person, stranger] = [people[i - 1] as Person, people[i] as Person]
      expect([between(person, stranger), between(person, person)]).toEqual([[], []])
    }
  })

  test('of numbers that nobody has does not match, and who may not know the parts is not told', () => {
    const { personalId } = people[0] as Person
    for (const relation of relations) {
      expect(relatives({ personalId: nobody, relativeId: personalId, relation })).toEqual({
        matched: false,
        attributes: { personalId: false, relativeId: true, relation: false },
      })
      expect(relatives({ personalId, relativeId: nobody, relation }, ['matched'])).toEqual({ matched: false })
    }
  })
})

describe('a residence', () => {
  test('that is the person’s matches, and another ward or province does not', () => {
    for (const { personalId, residence: home } of people) {
      const place = { provinceCode: home.province.code, wardCode: home.ward.code }
      expect(residence({ personalId, ...place })['matched']).toBe(true)
      expect(residence({ personalId, ...place, wardCode: '00001' })).toEqual({
        matched: false,
        attributes: { personalId: true, province: true, ward: false },
      })
      expect(residence({ personalId, ...place, provinceCode: '99' })['attributes']).toMatchObject({
        province: false,
        ward: false,
      })
    }
  })

  test('of a number that nobody has gets the same no', () => {
    const claim = { personalId: nobody, provinceCode: '01', wardCode: '90001' }
    expect(residence(claim, ['matched'])).toEqual({ matched: false })
    expect(residence(claim)['attributes']).toEqual({ personalId: false, province: false, ward: false })
  })
})
