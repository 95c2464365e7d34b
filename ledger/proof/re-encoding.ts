// What mail, editors and other systems do to a text on its way, in plain words. A text that was changed does not verify, whatever
// the reason; saying which change it was tells the reader that nobody need have forged anything, and how to go back.

import { readJson } from '#contracts/strict-json.ts'

const again = 'or export it again'

/** The first bytes of a file → what it is instead of plain UTF-8; no text begins so that this program writes. */
const starts: readonly (readonly [number[], string])[] = [
  [[0xef, 0xbb, 0xbf], `begins with a byte order mark (BOM): take these three bytes away, ${again}`],
  [[0xff, 0xfe, 0, 0], `is UTF-32: convert it back to UTF-8, ${again}`],
  [[0xff, 0xfe], `is UTF-16: convert it back to UTF-8, ${again}`],
  [[0xfe, 0xff], `is UTF-16: convert it back to UTF-8, ${again}`],
  [[0x1f, 0x8b], 'is compressed (gzip): unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed (zstd): unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive: unpack it first'],
  [[0x42, 0x5a, 0x68], 'is compressed (bzip2): unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed (xz): unpack it first'],
]

/** What the file is, when its first bytes say that it is no plain text of ours. */
export function describeStart(bytes: Buffer): string | undefined {
  const known = starts.find(([start]) => bytes.subarray(0, start.length).equals(Buffer.from(start)))
  if (known !== undefined) return `the file ${known[1]}`
  const [first, second, third, fourth] = bytes
  const isWide = (first === 0 && third === 0 && second !== 0) || (second === 0 && fourth === 0 && first !== 0)
  return isWide ? `the file is UTF-16: convert it back to UTF-8, ${again}` : undefined
}

export const windowsLineEnds = (line: number): string =>
  `the file has Windows line ends (CRLF) from line ${line}: convert it back, ${again}`

export const lastEndMissing = (line: number): string =>
  `all is as it was signed, but the end of line ${line}, the last, is missing: add it, ${again}`

/** What was done to one line of text → how to undo it. */
const changes: readonly (readonly [string, (text: string) => string | undefined])[] = [
  ['its letters were taken apart (Unicode NFD): convert it back to NFC', text => text.normalize('NFC')],
  ['its letters were put together (Unicode NFC): convert it back to NFD', text => text.normalize('NFD')],
  ['white space was added at its end', text => text.trimEnd()],
  ['it was read as Windows-1252 and written as UTF-8', readAsWindows1252],
  ['its JSON was written anew, with other spaces or escapes', rewriteJson],
]

/** Which change it was, if undoing one of these makes the text right again. */
export function describeChange(text: string, isRight: (text: string) => boolean): string | undefined {
  return changes.find(([, undo]) => {
    const before = undo(text)
    return before !== undefined && before !== text && isRight(before)
  })?.[0]
}

/** The 27 characters that Windows-1252 has where Latin-1 has controls. */
const windows1252: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 32 }, (_, at) => [new TextDecoder('windows-1252').decode(Buffer.of(0x80 + at)), 0x80 + at]),
)

function readAsWindows1252(text: string): string | undefined {
  const bytes = Array.from(text, character => windows1252.get(character) ?? character.codePointAt(0) ?? 0)
  return bytes.every(byte => byte <= 0xff) ? Buffer.from(bytes).toString('utf8') : undefined
}

function rewriteJson(text: string): string | undefined {
  const value = readJson(text)
  return value === undefined ? undefined : JSON.stringify(value)
}
