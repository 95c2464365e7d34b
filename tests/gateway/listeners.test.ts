// The port: how many come in while the event loop is busy, whose port it is, and how it closes.
import { connect, createServer, type Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { type Listeners, openListeners } from '#gateway/listeners.ts'
import { until } from '#tests/bus/until.ts'

const host = '127.0.0.1'
const opened: { close(): unknown }[] = []
const sockets: Socket[] = []
let letGo = (): void => {}

afterEach(async () => {
  letGo()
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(opened.splice(0).map(one => one.close()))
})

function createApp(): FastifyInstance {
  const app = fastify({ logger: false })
  app.get('/', async () => 'here')
  app.get('/held', () => new Promise(resolve => (letGo = () => resolve('held'))))
  return app
}

async function open(port = 0): Promise<Listeners> {
  const listeners = await openListeners(createApp(), { host, port })
  opened.push(listeners)
  return listeners
}

/** An HTTP request of its own connection; resolves with all that came. */
function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    )
    sockets.push(socket)
    let text = ''
    socket.on('data', bytes => (text += bytes.toString('latin1')))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

test.runIf(process.platform === 'linux')('many come in at one turn of the event loop', async () => {
  const app = createApp()
  let accepted = 0
  app.server.on('connection', () => accepted++)
  const listeners = await openListeners(app, { host, port: 0 })
  opened.push(listeners)
  for (let i = 0; i < 320; i++) sockets.push(connect(listeners.port, host))
  // All of them wait at the port before the first is let in: the kernel answers them, this loop does not turn.
  let turns = 0
  while (accepted < 320) {
    await new Promise(setImmediate)
    turns++
  }
  expect(turns).toBeLessThan(100)
})

test('every connection is answered, whichever socket it came in by', async () => {
  const { port } = await open()
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port, '/')))
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nhere$/s)
})

test('a port that is somebody’s is refused: another gateway’s, another program’s', async () => {
  const { port } = await open()
  await expect(open(port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const other = createServer().listen(0, host)
  opened.push(other)
  await new Promise(resolve => other.once('listening', resolve))
  const address = other.address() as { port: number }
  await expect(open(address.port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('a port is free again once closed, and who is in is answered first', async () => {
  const listeners = await open()
  const held = ask(listeners.port, '/held')
  let isHeld = false
  const before = letGo
  await until('it is asked', () => letGo !== before)
  const closed = listeners.close().then(() => (isHeld ? 'after' : 'before'))
  await expect(ask(listeners.port, '/')).rejects.toMatchObject({
    code: expect.stringMatching(/^ECONN(REFUSED|RESET)$/),
  })
  isHeld = true
  letGo()
  expect(await held).toMatch(/held$/)
  expect(await closed).toBe('after')
  const again = await open(listeners.port)
  expect(again.port).toBe(listeners.port)
})
