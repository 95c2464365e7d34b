// Indexes of an exchange's entries as a few bytes: the first, then how much further each next one is, as LEB128 numbers.

export function encodeLeaves(leaves: readonly number[]): Buffer {
  const bytes: number[] = []
  let before = 0
  for (const leaf of leaves) {
    let rest = leaf - before
    before = leaf
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    bytes.push(rest)
  }
  return Buffer.from(bytes)
}

export function decodeLeaves(bytes: Uint8Array): number[] {
  const leaves: number[] = []
  let before = 0
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte % 0x80) * scale
    scale *= 0x80
    if (byte >= 0x80) continue
    before += value
    leaves.push(before)
    value = 0
    scale = 1
  }
  return leaves
}
