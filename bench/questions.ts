// The requests of the bench as bytes: social insurance asks whether a number, a name and a date of birth belong together.
// Many people; half of the names in capitals without diacritics, as old registers send them; one question in fifty about a
// wrong name, each about somebody else, so that nobody's guess budget is used up.
import { createNation, type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

export const service = 'population/identity-verification'
export const path = `/v1/services/${service}`
export const client = 'social-insurance'

const peopleCount = 20_000
const mismatchEvery = 50
/** Far from the people of the pool. */
const firstMismatch = 50_000_000

export interface Question {
  bytes: Buffer
  matched: boolean
}

export interface Questions {
  next(): Question
}

/** @param token goes into every request */
export function createQuestions(pool: QuestionPool, token: string): Questions {
  const head = `POST ${path} HTTP/1.1\r\nhost: ndx\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: `
  const toBytes = (body: string): Buffer => Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`)
  const matches = pool.bodies.map(body => ({ bytes: toBytes(body), matched: true }))
  let asked = 0
  return {
    next() {
      const turn = asked++
      if (turn % mismatchEvery === mismatchEvery - 1) return { bytes: toBytes(pool.nextMismatch()), matched: false }
      return matches[turn % matches.length] as Question
    },
  }
}

export interface QuestionPool {
  /** All match. */
  readonly bodies: readonly string[]
  /** Another person each time, for as long as the pool lives. */
  nextMismatch(): string
}

export function createQuestionPool(nation: Nation = createNation({ seed: 1 })): QuestionPool {
  const bodies = Array.from({ length: peopleCount }, (_, i) => {
    const person = nation.person(i * 1000)
    return bodyOf(person, i % 2 === 0 ? person.fullName : inCapitals(person.fullName))
  })
  let mismatches = firstMismatch
  return { bodies, nextMismatch: () => bodyOf(nation.person(mismatches++), 'Nguyễn Văn Không Phải') }
}

const bodyOf = ({ personalId, dateOfBirth }: Person, fullName: string): string =>
  JSON.stringify({
    purpose: 'social-insurance-enrolment',
    procedure: '1.002759',
    officer: 'G24.63-0412',
    request: { personalId, fullName, dateOfBirth },
  })

const inCapitals = (name: string): string =>
  name.toUpperCase().normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('Đ', 'D')
