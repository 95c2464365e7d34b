// A connection that breaks in the middle of a response and is made anew: what was left of the old response is not taken for the
// beginning of the new one's. The original never understood its broker again.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import '#bus/kafka-bus/patches.ts'
import { until } from './until.ts'

interface Connection {
  bytesBuffered: number
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
  isConnected(): boolean
}

const ConnectionClass: new (options: object) => Connection = createRequire(import.meta.url)(
  'kafkajs/src/network/connection',
)
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
let server: Server
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

test('half a response of a broken connection is forgotten when it is made anew', async () => {
  server = createServer(socket => {
    sockets.push(socket)
    if (sockets.length === 1) socket.write(Buffer.alloc(3), () => socket.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const connection = new ConnectionClass({
    host: '127.0.0.1',
    port,
    logger: { namespace: () => silent },
    socketFactory: ({ onConnect }: { onConnect: () => void }) => connect(port, '127.0.0.1', onConnect),
    connectionTimeout: 30_000,
    requestTimeout: 30_000,
  })
  await connection.connect()
  await until('the half is there', () => connection.bytesBuffered === 3)
  await until('it is broken', () => !connection.isConnected())
  await connection.connect()
  expect([sockets.length, connection.bytesBuffered]).toEqual([2, 0])
  await connection.disconnect()
})
