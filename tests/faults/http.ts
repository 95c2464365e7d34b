// HTTP as the load's client speaks it: connections kept alive, one deadline a request, and an exact word on what was not heard.
import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface Heard {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Nothing was heard. `isUnsent`: no connection, so nothing was sent either. */
export class Silence extends Error {
  readonly isUnsent: boolean

  constructor(why: string, isUnsent: boolean) {
    super(why)
    this.name = 'Silence'
    this.isUnsent = isUnsent
  }
}

export interface Ask {
  method: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  body?: string
  patienceMs: number
}

export interface Caller {
  /** Rejects with Silence only. */
  call(ask: Ask): Promise<Heard>
  close(): void
}

export function createCaller(): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 5_000, maxFreeSockets: 256 })
  return { call: ask => call(ask, agent), close: () => agent.destroy() }
}

function call({ method, url, headers, body, patienceMs }: Ask, agent: Agent): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request(url, { method, agent, headers: { ...headers, ...length } })
    const timer = setTimeout(() => sent.destroy(new Error('nothing came in time')), patienceMs)
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      reject(new Silence(error.code ?? error.message, error.code === 'ECONNREFUSED'))
    }
    sent.once('error', fail)
    sent.once('response', response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.once('error', fail)
      response.once('end', () => {
        clearTimeout(timer)
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    sent.end(body)
  })
}
