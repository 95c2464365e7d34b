// The operators' listener of a process: metrics, health, and what else it is given. Plain node:http, so that it answers
// whatever state the rest is in. It has no authentication: it listens on loopback or an inner network, never a public one.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { foreignHostStatus, foreignHostText, isInnerHost } from './inner-host.ts'

export interface OperationsAnswer {
  status?: number
  type?: string
  body: string
}

/** By exact path; the query is handed over. GET only. */
export type OperationsRoutes = Readonly<
  Record<string, (query: URLSearchParams) => OperationsAnswer | Promise<OperationsAnswer>>
>

export interface OperationsListener {
  port: number
  stop(): Promise<void>
}

export async function listenForOperations({
  host,
  port,
  innerHosts,
  routes,
}: {
  host: string
  port: number
  /** Names under which it may be asked (runtime/inner-host.ts). */
  innerHosts: readonly string[]
  routes: OperationsRoutes
}): Promise<OperationsListener> {
  const server = createServer((request, response) => {
    const [pathname = '/', query] = (request.url ?? '/').split('?', 2)
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
    const send = ({ status = 200, type = 'application/json', body }: OperationsAnswer): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    if (!isInnerHost(request.headers.host, innerHosts))
      return send({ status: foreignHostStatus, body: asJson({ error: foreignHostText }) })
    if (request.method !== 'GET') return send({ status: 405, body: asJson({ error: 'GET only' }) })
    if (route === undefined) return send({ status: 404, body: asJson({ paths: Object.keys(routes) }) })
    Promise.resolve()
      .then(() => route(new URLSearchParams(query)))
      .then(send, () => send({ status: 503, body: asJson({ error: 'not available' }) }))
  })
  server.requestTimeout = 10_000
  server.headersTimeout = 10_000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return { port: (server.address() as AddressInfo).port, stop: () => closeServer(server) }
}

export const asJson = (value: unknown): string => `${JSON.stringify(value)}\n`

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise(resolve => server.close(() => resolve()))
}
