// One line of a run's file: a numbered note, or a tally of refusals that no note says yet. Each carries a checksum, so that a reader
// knows which lines are whole, whatever was cut or altered.
import { crc32 } from 'node:zlib'

export interface NumberedNote {
  number: number
  /** As `encodeNote` gives it. */
  note: string
}

/** So many refusals with this code so far in one second (epoch seconds). A later tally of the same replaces it, its note ends it. */
export interface Tally {
  second: number
  code: string
  count: number
}

const tallyMark = 'tally'

export const writeNoteLine = ({ number, note }: NumberedNote): string => withChecksum(`${number} ${note}`)

export const writeTallyLine = ({ second, code, count }: Tally): string =>
  withChecksum(`${tallyMark} ${second} ${code} ${count}`)

/** Without its line feed. undefined: it is not as it was written. */
export function readLine(line: string): NumberedNote | Tally | undefined {
  const at = line.indexOf(' ')
  const body = line.slice(at + 1)
  if (at < 1 || crc32(body).toString(16) !== line.slice(0, at)) return undefined
  const [first = '', second = '', code = '', count = ''] = body.split(' ', 4)
  if (first === tallyMark) return { second: Number(second), code, count: Number(count) }
  const number = Number(first)
  const note = body.slice(first.length + 1)
  return /^[0-9]+$/.test(first) && Number.isSafeInteger(number) && isJson(note) ? { number, note } : undefined
}

const withChecksum = (body: string): string => `${crc32(body).toString(16)} ${body}\n`

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
