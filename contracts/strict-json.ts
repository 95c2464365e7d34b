// Strict JSON (RFC 8259 with I-JSON's rules, RFC 7493): UTF-8 only, no duplicate names, no lone surrogates, bounded depth.
// JSON.parse does the parsing; one scan of the text finds what it forgives. Size is bounded by whoever reads the bytes.
import { isUtf8 } from 'node:buffer'
import { type Json } from '#contracts/json.ts'
import { endOfString } from '#contracts/json-depth.ts'

export const depthMax = 32

/** What is wrong with the text. Never quotes it: it may hold personal data. */
export class StrictJsonError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StrictJsonError'
  }
}

/** Parses, or throws StrictJsonError with a reason that may be shown to the sender. */
export function parseStrictJson(bytes: Buffer): Json {
  if (bytes.length === 0) throw new StrictJsonError('the body is empty')
  if (!isUtf8(bytes)) throw new StrictJsonError('the body is not UTF-8')
  const text = bytes.toString('utf8')
  const members = scan(text)
  const value = parse(text)
  if (countMembers(value) !== members) throw new StrictJsonError('an object names a member twice')
  if (text.includes('\\u') && !isWellFormed(value)) throw new StrictJsonError('a string holds a lone surrogate')
  return value
}

/**
 * For text that is only looked at (a file, an answer, a line of a log): `undefined` when it is no JSON or nested deeper than
 * `depthMax`, so that whoever walks what comes back, or writes it as JSON again, cannot run out of stack. Never throws.
 */
export function readJson(text: string): Json | undefined {
  try {
    scan(text)
    return parse(text)
  } catch (error) {
    if (error instanceof StrictJsonError) return undefined
    throw error
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    const at = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined
    throw new StrictJsonError(at === undefined ? 'the body is not JSON' : `the body is not JSON at character ${at}`)
  }
}

/** Members written in the text (colons outside strings); refuses what is nested too deep before anything recurses into it. */
function scan(text: string): number {
  let members = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = endOfString(text, i)
    else if (c === 0x3a) members++
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > depthMax) throw new StrictJsonError(`the body is nested deeper than ${depthMax}`)
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return members
}

/** Members that survived parsing: fewer than were written when a name stood twice. */
function countMembers(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item)
    return members
  }
  for (const name of Object.keys(value)) members += 1 + countMembers(value[name] as Json)
  return members
}

function isWellFormed(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([name, part]) => name.isWellFormed() && isWellFormed(part))
}
