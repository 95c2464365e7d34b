// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of a record batch: eight bytes a step by eight tables.

const polynomial = 0x82f63b78
const tables = makeTables()
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** Of the bytes from `start` to before `end`; unsigned. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (; at + 8 <= end; at += 8) {
    crc ^= at4(bytes, at)
    const next = at4(bytes, at + 4)
    crc =
      at1(t7, crc & 0xff) ^
      at1(t6, (crc >>> 8) & 0xff) ^
      at1(t5, (crc >>> 16) & 0xff) ^
      at1(t4, crc >>> 24) ^
      at1(t3, next & 0xff) ^
      at1(t2, (next >>> 8) & 0xff) ^
      at1(t1, (next >>> 16) & 0xff) ^
      at1(t0, next >>> 24)
  }
  for (; at < end; at++) crc = at1(t0, (crc ^ at1(bytes, at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

const at1 = (array: Int32Array | Uint8Array, index: number): number => array[index] as number

/** Little-endian. */
const at4 = (bytes: Uint8Array, at: number): number =>
  at1(bytes, at) | (at1(bytes, at + 1) << 8) | (at1(bytes, at + 2) << 16) | (at1(bytes, at + 3) << 24)

function makeTables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  const all = [first]
  for (let last = first; all.length < 8; all.push(last))
    last = Int32Array.from(last, crc => (first[crc & 0xff] as number) ^ (crc >>> 8))
  return all
}
