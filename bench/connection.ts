// A keep-alive HTTP/1.1 connection over a raw socket, one request at a time: the least a generator can spend on a request.
// Reads answers with a content-length, which is what gateway and bare route send; anything else counts as a broken one.
import { connect, type Socket } from 'node:net'

const answerMaxMs = 10_000

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
    const length = lengthOf(this.#got, end)
    if (length === undefined) return void this.#socket?.destroy()
    if (this.#got.length < end + 4 + length) return
    this.#finish(Number(this.#got.slice(9, 12)), this.#got)
  }

  #finish(status: number, text: string): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    this.#got = ''
    onAnswer?.(status, text)
  }
}

const lengthField = 'content-length: '

/** Both servers write header names in lower case. */
function lengthOf(text: string, end: number): number | undefined {
  const at = text.indexOf(lengthField)
  if (at === -1 || at > end) return undefined
  return Number(text.slice(at + lengthField.length, text.indexOf('\r\n', at)))
}
