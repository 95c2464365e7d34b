// The values that must not turn up outside `data`: text that nobody else writes, put into requests on purpose, and what names a
// person or thing in the contracts' examples. Told by where they stood, never by what they are.
import { randomBytes } from 'node:crypto'
import { type Service } from '#contracts/contract.ts'
import { isJsonObject, type Json } from '#contracts/json.ts'

export interface Marks {
  /** A word of its own; `what` says where it will stand. */
  make(what: string): string
  /** What the text holds, as it was named; empty when nothing. */
  findIn(text: string): string[]
}

/** Shorter ones may stand anywhere by chance. */
const lengthMin = 8
const dateForm = /^\d{4}(-\d{2}(-\d{2})?)?$/

export function createMarks(services: readonly Service[]): Marks {
  const named = new Map<string, string>()
  for (const { contract } of services) {
    for (const { request, reply } of contract.examples) {
      for (const value of textsOf(request)) named.set(fold(value), `a value of an example’s request (${contract.id})`)
      for (const value of textsOf(reply).filter(isTelling))
        named.set(fold(value), `a value of an example’s reply (${contract.id})`)
    }
  }
  return {
    make: what => {
      const mark = `canary${randomBytes(6).toString('hex')}`
      named.set(mark, what)
      return mark
    },
    findIn: text => {
      const folded = fold(text)
      return [...new Set([...named].filter(([value]) => folded.includes(value)).map(([, what]) => what))]
    },
  }
}

/** Also what was written in capitals is found, or escaped as JSON does. */
const fold = (text: string): string => unescapeJson(text).toLowerCase()

const unescapeJson = (text: string): string =>
  text.replaceAll(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

function textsOf(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (isJsonObject(value)) return Object.values(value).flatMap(textsOf)
  return typeof value === 'string' && value.length >= lengthMin && !dateForm.test(value) ? [value] : []
}

/** Words of a reply's list of values stand in any log; names, addresses and numbers do not. */
const isTelling = (value: string): boolean => /\s|\d{9}/.test(value)
