// An entry bundle of a tiled log (C2SP tlog-tiles): up to 256 entries, each behind its length in two bytes, the larger first.

/** What two bytes can say. */
export const bundledBytesMax = 0xffff

/** Throws RangeError for an entry that is longer than `bundledBytesMax` in UTF-8. */
export function encodeBundle(entries: readonly string[]): Buffer {
  const sizes = entries.map(entry => Buffer.byteLength(entry))
  const tooLong = sizes.findIndex(size => size > bundledBytesMax)
  if (tooLong !== -1) throw new RangeError(`entry ${tooLong} of a bundle has ${sizes[tooLong]} bytes`)
  const bundle = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 2 + size, 0))
  let at = 0
  for (const [index, entry] of entries.entries()) {
    at = bundle.writeUInt16BE(sizes[index] ?? 0, at)
    at += bundle.write(entry, at)
  }
  return bundle
}
