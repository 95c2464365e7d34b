// How deep a JSON text is nested, found by one scan before anything parses it or walks what it holds: JSON.parse takes any depth, and
// whatever recurses into the result afterwards ends in a stack overflow.

/** What a record or a file of ours may be nested at most; contracts are far below it. */
export const recordDepthMax = 64

/** Also of text that is not JSON: then the answer means nothing, and parsing says so. */
export function isNestedDeeper(text: string, depthMax: number): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = endOfString(text, i)
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > depthMax) return true
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return false
}

/** Index of the quotation mark that ends the string begun at `start`; the text's length when none does. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++
    if (backslashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return text.length
}
