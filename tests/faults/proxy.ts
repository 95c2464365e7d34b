// A TCP proxy between one process and the broker that can do to the connection what networks do: lose what comes back, delay,
// cut, swallow everything. Healing cuts the connections that were tampered with; new ones are whole.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** `deaf`: what goes to the broker arrives, what comes back is lost. `hole`: nothing arrives. */
export type ProxyMode = 'open' | 'deaf' | 'hole' | { delayMs: number }

export interface RoadProxy {
  /** `host:port` for the clients. */
  readonly address: string
  /** `host:port` of the broker's listener; must be set before the first client comes. */
  target: string
  set(mode: ProxyMode): void
  /** RST on every connection. */
  cut(): void
  stop(): Promise<void>
}

export async function startProxy(port: number): Promise<RoadProxy> {
  const pairs = new Set<Pair>()
  let mode: ProxyMode = 'open'
  const proxy = { address: `127.0.0.1:${port}`, target: '', set, cut, stop }
  const server: Server = createServer({ noDelay: true }, client => {
    const [host = '', targetPort] = proxy.target.split(':')
    const broker = connect({ host, port: Number(targetPort), noDelay: true })
    const pair = new Pair(client, broker, () => mode)
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return proxy

  function set(next: ProxyMode): void {
    const wasOpen = mode === 'open'
    mode = next
    if (!wasOpen) cut()
  }

  function cut(): void {
    for (const pair of pairs) pair.cut()
  }

  async function stop(): Promise<void> {
    cut()
    await new Promise(resolve => server.close(resolve))
  }
}

class Pair {
  readonly #sockets: readonly [Socket, Socket]

  constructor(client: Socket, broker: Socket, mode: () => ProxyMode) {
    this.#sockets = [client, broker]
    carry(client, broker, mode, ['hole'])
    carry(broker, client, mode, ['hole', 'deaf'])
    for (const socket of this.#sockets) {
      socket.on('error', () => {})
      socket.once('close', () => this.cut())
    }
  }

  cut(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
  }
}

function carry(from: Socket, to: Socket, mode: () => ProxyMode, lostIn: readonly ProxyMode[]): void {
  const write = (chunk: Buffer): void => {
    if (!to.destroyed) to.write(chunk)
  }
  from.on('data', chunk => {
    const now = mode()
    if (lostIn.includes(now)) return
    if (typeof now === 'object') setTimeout(write, now.delayMs, chunk)
    else write(chunk)
  })
}
