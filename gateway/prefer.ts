// The Prefer field (RFC 7240), read as the list it is: several fields, parameters, quoted strings; the first of a repeated
// preference counts. Pure. A preference is a wish: what is unknown or malformed is passed over, never refused.
import { type Preference } from './exchange/inquiry.ts'

const none: Preference = Object.freeze({ respondAsync: false })

/** token, then perhaps `= token` or `= "quoted string"`; white space around `=` is allowed and meaningless. */
const word =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/y

/** A field that Node did not join is joined as HTTP says (RFC 9110 section 5.3). */
export const fieldOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value

/** `value`: all Prefer fields joined with commas, as Node gives them. */
export function parsePrefer(value: string | undefined): Preference {
  if (value === undefined) return none
  const preferences = new Map<string, string>()
  for (const element of splitOutsideQuotes(value, ',')) {
    const preference = readWord(splitOutsideQuotes(element, ';')[0] ?? '')
    if (preference !== undefined && !preferences.has(preference.name))
      preferences.set(preference.name, preference.value)
  }
  const wait = preferences.get('wait')
  return {
    respondAsync: preferences.get('respond-async') === '',
    ...(wait !== undefined && /^[0-9]{1,9}$/.test(wait) ? { waitSeconds: Number(wait) } : {}),
  }
}

/** Preference-Applied of an answer: `isAccepted`, 202, is what respond-async asks for. undefined: nothing was applied. */
export function describeApplied(
  { respondAsync, waitSeconds }: Preference,
  { isAccepted, waitSecondsMax }: { isAccepted: boolean; waitSecondsMax: number },
): string | undefined {
  const applied = [
    ...(respondAsync && isAccepted ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${Math.min(waitSeconds, waitSecondsMax)}`]),
  ]
  return applied.length === 0 ? undefined : applied.join(', ')
}

/** An empty value and none are the same (RFC 7240 section 2). Names fold case; undefined: malformed. */
function readWord(text: string): { name: string; value: string } | undefined {
  word.lastIndex = 0
  const match = word.exec(text)
  if (match === null || word.lastIndex !== text.length) return undefined
  const [, name = '', token, quoted] = match
  return { name: name.toLowerCase(), value: token ?? quoted?.replaceAll(/\\(.)/g, '$1') ?? '' }
}

/** Parts between separators; one inside a quoted string is no separator. A string that is not closed swallows the rest. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = []
  let begin = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (isQuoted && character === '\\') i++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(begin, i))
      begin = i + 1
    }
  }
  return [...parts, text.slice(begin)]
}
