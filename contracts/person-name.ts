// One form of a person's name, so that two spellings of it compare equal: Unicode form, case, spaces, apostrophes and the
// place of the tone mark never matter; diacritics do unless a contract says otherwise. The form is for comparing, not for
// showing: Hoà and Hòa become one.

export interface NameOptions {
  /** keep: Lan ≠ Lân · fold: Lan = Lân, Đỗ = Do; for sources that have lost their marks. */
  readonly diacritics: 'keep' | 'fold'
}

/**
 * Both schools place the tone of a syllable ending in oa, oe or uy: on the first vowel (hòa, the older and more common in
 * registers) or on the last (hoà). The first is taken. After q the u belongs to the consonant: quý, never qúy.
 */
const toneMoves: ReadonlyMap<string, string> = new Map(
  [
    'OÀ ÒA',
    'OÁ ÓA',
    'OẢ ỎA',
    'OÃ ÕA',
    'OẠ ỌA',
    'OÈ ÒE',
    'OÉ ÓE',
    'OẺ ỎE',
    'OẼ ÕE',
    'OẸ ỌE',
    'UỲ ÙY',
    'UÝ ÚY',
    'UỶ ỦY',
    'UỸ ŨY',
    'UỴ ỤY',
  ].map(move => [move.slice(0, 2), move.slice(3)] as const),
)
const toneMovesAfterQ: ReadonlyMap<string, string> = new Map(
  [...toneMoves].slice(10).map(([last, first]) => [first, last]),
)
const letter = /\p{L}/u
const lateTone = /(?<!Q)(?:O[ÀÁẢÃẠÈÉẺẼẸ]|U[ỲÝỶỸỴ])(?!\p{L})/gu
const earlyToneAfterQ = /(?<=Q)[ÙÚỦŨỤ]Y(?!\p{L})/gu

/**
 * The form of a name for comparing: NFC, upper case, one space between words and none around, no invisible format
 * characters, one apostrophe, one place for the tone mark, Đ for the Icelandic Ð that old encodings left; with `fold` also no diacritics and Đ as D. Idempotent.
 */
export function normalizeName(name: string, { diacritics }: NameOptions): string {
  const upper = name
    .replace(/\p{Cf}/gu, '')
    .normalize('NFC')
    .toUpperCase()
    .normalize('NFC')
    .replace(/\u00D0/g, 'Đ')
    .replace(/[\u2018\u2019\u02BC\u02B9\u00B4`]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
  return diacritics === 'fold' ? foldDiacritics(upper) : placeTones(upper)
}

/** Whether two names are one under the options. An empty name is nobody's: it is the same as none, itself included. */
export function isSameName(a: string, b: string, options: NameOptions): boolean {
  // Letters stay letters in every form, so this one is not empty.
  if (a === b && letter.test(a)) return true
  const form = normalizeName(a, options)
  return form !== '' && form === normalizeName(b, options)
}

const placeTones = (upper: string): string =>
  upper
    .replace(lateTone, syllable => toneMoves.get(syllable) ?? syllable)
    .replace(earlyToneAfterQ, syllable => toneMovesAfterQ.get(syllable) ?? syllable)

/** Đ has no canonical decomposition, so it is folded by name. */
const foldDiacritics = (upper: string): string =>
  upper.normalize('NFD').replace(/\p{M}/gu, '').replace(/Đ/g, 'D').normalize('NFC').replace(/\s+/g, ' ').trim()
