// A keep-alive HTTP/1.1 connection over a raw socket, one request at a time: the least a generator can spend on a request.
// Reads answers with a content-length or in chunks; anything else counts as a broken one.
import { connect, type Socket } from 'node:net'

export const answerMaxMs = 10_000

/** Status 0: no answer. `text` is the whole answer, a byte a character; valid during the call. */
export type OnAnswer = (status: number, text: string) => void

export class Connection {
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #onAnswer: OnAnswer | undefined
  #sentMs = 0
  #got = ''

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#host = hostname
    this.#port = Number(port)
  }

  send(bytes: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    this.#sentMs = performance.now()
    this.#socket ??= this.#open()
    this.#socket.write(bytes)
  }

  /** Gives up an answer that has not come in ten seconds. */
  expire(nowMs: number): void {
    if (this.#onAnswer !== undefined && nowMs - this.#sentMs > answerMaxMs) this.#socket?.destroy()
  }

  close(): void {
    this.#onAnswer = undefined
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true })
    socket.on('data', bytes => this.#read(bytes))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#socket = undefined
      this.#finish(0, '')
    })
    return socket
  }

  #read(bytes: Buffer): void {
    this.#got += bytes.toString('latin1')
    const end = this.#got.indexOf('\r\n\r\n')
    if (end === -1) return
    const isWhole = isAnswerWhole(this.#got, end + 4)
    if (isWhole === undefined) return void this.#socket?.destroy()
    if (isWhole) this.#finish(Number(this.#got.slice(9, 12)), this.#got)
  }

  #finish(status: number, text: string): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    this.#got = ''
    onAnswer?.(status, text)
  }
}

const lengthField = 'content-length: '
const framing = /\r\n(?:content-length: *(\d+)|transfer-encoding: *(chunked))\r\n/i

/** Whether all of an answer has come; undefined: that cannot be told. @param bodyAt where its head has ended */
export function isAnswerWhole(text: string, bodyAt: number): boolean | undefined {
  const at = text.indexOf(lengthField)
  if (at !== -1 && at < bodyAt) return text.length >= bodyAt + Number.parseInt(text.slice(at + lengthField.length), 10)
  const [, length, isChunked] = framing.exec(text.slice(0, bodyAt)) ?? []
  if (length !== undefined) return text.length >= bodyAt + Number(length)
  return isChunked === undefined ? undefined : areChunksWhole(text, bodyAt)
}

/** RFC 9112 section 7.1, without trailers. */
function areChunksWhole(text: string, bodyAt: number): boolean {
  for (let at = bodyAt; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return false
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    at = lineEnd + 2 + size + 2
    if (text.length < at) return false
    if (size === 0) return true
  }
}
