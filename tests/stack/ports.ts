// Free ports of 127.0.0.1, below the range from which systems hand out ports of outgoing connections:
// so a server that is killed and started again still finds its port free.
import { createServer } from 'node:net'

const first = 20_000
const count = 10_000
const attemptsMax = 100
const handedOut = new Set<number>()

/** A port nobody listens on, never the same twice in one process. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = first + Math.floor(Math.random() * count)
    if (handedOut.has(port) || !(await isFree(port))) continue
    handedOut.add(port)
    return port
  }
  throw new Error(`no free port found between ${first} and ${first + count} on 127.0.0.1`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
