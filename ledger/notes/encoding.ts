// Base 64 as RFC 4648, section 4, has it, and no other (padded, the one form that encodes to the same text again), and numbers.

/** `undefined` when the text is not exactly base 64. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** A SHA-256 hash, else `undefined`. */
export function decodeHash(text: string): Buffer | undefined {
  if (text.length !== 44) return undefined
  const bytes = decodeBase64(text)
  return bytes?.length === 32 ? bytes : undefined
}

/** A size or an index in ASCII digits, without leading zeroes; else `undefined`. */
export function decodeSize(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}
