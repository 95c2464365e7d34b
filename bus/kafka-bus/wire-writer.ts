// Writes what a Kafka broker reads, into one buffer: whoever makes one knows how many bytes may come. Whole numbers are big-endian.

const shortMax = 63

export class WireWriter {
  readonly buffer: Buffer
  at = 0

  constructor(bytesMax: number) {
    this.buffer = Buffer.allocUnsafe(bytesMax)
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.at)
  }

  /** Returns where the reserved bytes begin. */
  reserve(bytes: number): number {
    this.at += bytes
    return this.at - bytes
  }

  int8(value: number): void {
    this.buffer[this.at++] = value
  }

  int16(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.at)
  }

  int32(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at)
  }

  int64(value: number): void {
    this.at = this.buffer.writeBigInt64BE(BigInt(value), this.at)
  }

  /** Up to 31 bits. */
  uvarint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.buffer[this.at++] = (rest & 0x7f) | 0x80
    this.buffer[this.at++] = rest
  }

  /** With its length and one, as flexible versions have it. */
  compactText(text: string): void {
    this.uvarint(Buffer.byteLength(text) + 1)
    this.utf8(text)
  }

  /** As Kafka's tools print it. */
  uuid(id: string): void {
    if (this.buffer.write(id, this.at, 16, 'base64url') !== 16) throw new RangeError(`${id} is no id of a topic`)
    this.at += 16
  }

  /** Zigzag, up to 31 bits. */
  varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.buffer[this.at++] = (rest & 0x7f) | 0x80
    this.buffer[this.at++] = rest
  }

  copy(bytes: Buffer): void {
    for (let i = 0; i < bytes.length; i++) this.buffer[this.at++] = bytes[i] as number
  }

  utf8(text: string): void {
    this.at += this.buffer.write(text, this.at)
  }

  /** With its length. What is short is mostly ASCII, and then quicker by hand than by a call out of JavaScript. */
  text(text: string): void {
    if (text.length <= shortMax && this.#ascii(text)) return
    this.varint(Buffer.byteLength(text))
    this.utf8(text)
  }

  #ascii(text: string): boolean {
    const { buffer, at } = this
    buffer[at] = text.length << 1
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      buffer[at + 1 + i] = code
    }
    this.at = at + 1 + text.length
    return true
  }

  /** Writes the length of what follows the reserved bytes, moving it when they are too few or too many. */
  prefix(start: number, reserved: number): void {
    const length = this.at - start - reserved
    const size = length < 64 ? 1 : length < 8192 ? 2 : length < 1_048_576 ? 3 : 4
    if (size !== reserved) this.buffer.copyWithin(start + size, start + reserved, this.at)
    this.at = start
    this.varint(length)
    this.at = start + size + length
  }
}
