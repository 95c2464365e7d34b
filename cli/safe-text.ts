// Text from elsewhere, made safe to show: whatever could move the cursor, change colours, reorder or hide text is written as an
// escape, so that a line in a log cannot pretend to be another. Also its width on a terminal, and cutting to a width.

/** Controls, formats (bidi, zero width, tags), lone surrogates, private and unassigned; line and paragraph separators. */
const unsafe = /[\p{C}\p{Zl}\p{Zp}]/gu
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Every unsafe character as `\n`, `\r`, `\t` or `\u{…}`. */
export const escapeText = (text: string): string =>
  text.replaceAll(unsafe, character => shortEscapes[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`)

/** JSON that is safe to show and still the same JSON. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? 'null'
  return text.replaceAll(unsafe, character => (character === '\n' ? character : asJsonEscapes(character)))
}

const asJsonEscapes = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')

const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u
const widthless = /\p{M}/u

const widthOfCharacter = (character: string): number =>
  character < '\u0300' ? 1 : widthless.test(character) ? 0 : wide.test(character) ? 2 : 1

/** Cells on a terminal, near enough. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

/** At most `width` cells; what is cut ends in `…`. */
export function cutTo(width: number, text: string): string {
  if (text.length <= width && widthOf(text) <= width) return text
  let kept = ''
  let room = width - 1
  for (const character of text) {
    room -= widthOfCharacter(character)
    if (room < 0) break
    kept += character
  }
  return width < 1 ? '' : `${kept}…`
}

export const padTo = (width: number, text: string, side: 'left' | 'right' = 'left'): string => {
  const padding = ' '.repeat(Math.max(0, width - widthOf(text)))
  return side === 'left' ? text + padding : padding + text
}
