// Reads what a Kafka broker writes: numbers, texts, and the compact forms of its flexible versions. Whole numbers are big-endian and
// exact up to 2^53. Reading past the end throws RangeError.
import { headerNames } from '#bus/message.ts'

/** By their length: comparing is quicker than making the string again. */
const knownNames = Map.groupBy(Object.values(headerNames), ({ length }) => length)

export class WireReader {
  readonly #buffer: Buffer
  at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get length(): number {
    return this.#buffer.length
  }

  skip(bytes: number): void {
    this.at += bytes
  }

  int8(): number {
    return this.#buffer.readInt8(this.at++)
  }

  int16(): number {
    this.at += 2
    return this.#buffer.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.#buffer.readInt32BE(this.at - 4)
  }

  int64(): number {
    return this.int32() * 4_294_967_296 + (this.int32() >>> 0)
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  /** Of a compact length one is taken off: what is null has a length of -1. */
  compactLength(): number {
    return this.uvarint() - 1
  }

  compactText(): string | null {
    const length = this.compactLength()
    return length < 0 ? null : this.text(length)
  }

  /** As Kafka's tools print it. */
  uuid(): string {
    return this.bytes(16).toString('base64url')
  }

  /** Calls for each tagged field; what is not read of it is passed over. */
  tags(read?: (tag: number) => void): void {
    for (let left = this.uvarint(); left > 0; left--) {
      const tag = this.uvarint()
      const end = this.uvarint() + this.at
      read?.(tag)
      this.at = end
      this.#checkEnd()
    }
  }

  uvarint(): number {
    let byte = this.#byte()
    let result = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = this.#byte()
      result += (byte & 0x7f) * scale
    }
    return result
  }

  /** Zigzag. Beyond 28 bits by multiplication, since JavaScript's shifts end at 31. */
  varint(): number {
    let byte = this.#byte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let result = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = this.#byte()
      result += (byte & 0x7f) * scale
    }
    return result % 2 === 0 ? result / 2 : -(result + 1) / 2
  }

  bytes(length: number): Buffer {
    this.#pass(length)
    return this.#buffer.subarray(this.at - length, this.at)
  }

  text(length: number): string {
    this.#pass(length)
    return this.#buffer.toString('utf8', this.at - length, this.at)
  }

  name(length: number): string {
    const known = knownNames.get(length)?.find(name => this.#isNext(name))
    if (known === undefined) return this.text(length)
    this.at += length
    return known
  }

  #isNext(name: string): boolean {
    for (let i = 0; i < name.length; i++) if (this.#buffer[this.at + i] !== name.charCodeAt(i)) return false
    return true
  }

  #byte(): number {
    const byte = this.#buffer[this.at++]
    if (byte === undefined) throw new RangeError('the bytes end within a number')
    return byte
  }

  /** Lengths come from whoever wrote: one below zero would have the same bytes read for ever. */
  #pass(length: number): void {
    if (!(length >= 0)) throw new RangeError('a length is below zero')
    this.at += length
    this.#checkEnd()
  }

  #checkEnd(): void {
    if (this.at > this.#buffer.length) throw new RangeError('the bytes end within a text')
  }
}
