// The requests of the bench as bytes: social insurance asks whether a number, a name and a date of birth belong together.
// Many people; half of the names in capitals without diacritics, as old registers send them; one question in fifty about a
// wrong name, each about somebody else, so that nobody's guess budget is used up. Beside them, for what a hung provider does
// to others, the portal's questions about enterprises.
import { createNation, type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

export const service = 'population/identity-verification'
export const path = `/v1/services/${service}`
export const client = 'social-insurance'

/** The other provider's questions. */
export const enterprise = {
  provider: 'business-registration',
  path: '/v1/services/business-registration/enterprise-record',
  client: 'public-service-portal',
} as const

export type Topic = 'identity' | 'enterprise'

const peopleCount = 20_000
const enterpriseCount = 2_000
const mismatchEvery = 50
/** Far from the people of the pool. */
const firstMismatch = 50_000_000

export interface Question {
  bytes: Buffer
  /** What a right answer holds. */
  expected: string
}

export interface Questions {
  next(): Question
}

/** @param token goes into every request */
export function createQuestions(pool: QuestionPool, token: string, about: Topic = 'identity'): Questions {
  if (about === 'enterprise') return createEnterpriseQuestions(pool, token)
  const toBytes = requestWriter(path, token)
  const matches = pool.bodies.map(body => ({ bytes: toBytes(body), expected: '"matched":true' }))
  let asked = 0
  return {
    next() {
      const turn = asked++
      if (turn % mismatchEvery === mismatchEvery - 1)
        return { bytes: toBytes(pool.nextMismatch()), expected: '"matched":false' }
      return matches[turn % matches.length] as Question
    },
  }
}

function createEnterpriseQuestions({ enterprises }: QuestionPool, token: string): Questions {
  const toBytes = requestWriter(enterprise.path, token)
  const questions = enterprises.map(({ body, code }) => ({
    bytes: toBytes(body),
    expected: `"found":true,"enterpriseCode":"${code}"`,
  }))
  let asked = 0
  return { next: () => questions[asked++ % questions.length] as Question }
}

function requestWriter(toPath: string, token: string): (body: string) => Buffer {
  const head = `POST ${toPath} HTTP/1.1\r\nhost: ndx\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: `
  return body => Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

export interface QuestionPool {
  /** All match. */
  readonly bodies: readonly string[]
  readonly enterprises: readonly { body: string; code: string }[]
  /** Another person each time, for as long as the pool lives. */
  nextMismatch(): string
}

export function createQuestionPool(nation: Nation = createNation({ seed: 1 })): QuestionPool {
  const bodies = poolPeople(nation).map((person, i) =>
    bodyOf(person, i % 2 === 0 ? person.fullName : inCapitals(person.fullName)),
  )
  const enterprises = Array.from({ length: enterpriseCount }, (_, i) => {
    const { enterpriseCode } = nation.enterprise(i * 100)
    const request = { enterpriseCode }
    return { body: JSON.stringify({ purpose: 'public-service-intake', request }), code: enterpriseCode }
  })
  let mismatches = firstMismatch
  return { bodies, enterprises, nextMismatch: () => bodyOf(nation.person(mismatches++), 'Nguyễn Văn Không Phải') }
}

/** One that matches, for what is asked before any load. */
export const exampleEnvelope = (nation: Nation = createNation({ seed: 1 })) =>
  envelopeOf(nation.person(0), nation.person(0).fullName)

/** Those who are asked about with a right name. */
export const poolPeople = (nation: Nation): Person[] =>
  Array.from({ length: peopleCount }, (_, i) => nation.person(i * 1000))

const bodyOf = (person: Person, fullName: string): string => JSON.stringify(envelopeOf(person, fullName))

const envelopeOf = ({ personalId, dateOfBirth }: Person, fullName: string) => ({
  purpose: 'social-insurance-enrolment',
  procedure: '1.002759',
  officer: 'G24.63-0412',
  request: { personalId, fullName, dateOfBirth },
})

/** As old registers write a name. */
export const inCapitals = (name: string): string =>
  name.toUpperCase().normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('Đ', 'D')
