// Mends kafkajs 2.2.4 before any other part of it is loaded; who loads one imports this first. Touches, for the whole process:
// - `src/network/requestQueue`: its timer re-armed itself for ever, with a negative delay (5 % of a core, a warning on Node 24);
// - `src/network/connectionPool`: two callers at once opened two sockets, one of which was never closed;
// - `src/network/connection`: half a response, left when it broke, was taken for the beginning of what came when made anew.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

interface RequestQueue {
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  pending: unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

interface Connection {
  isConnected(): boolean
  connect(): Promise<unknown>
}

interface BufferingConnection extends Connection {
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

interface ConnectionPool {
  pool: Connection[]
  getConnection(index?: number): Promise<Connection>
}

const requestQueue: { prototype: RequestQueue } = require('kafkajs/src/network/requestQueue')
const connection: { prototype: BufferingConnection } = require('kafkajs/src/network/connection')
const connectionPool: { prototype: ConnectionPool } = require('kafkajs/src/network/connectionPool')
const connecting = new WeakMap<Connection, Promise<unknown>>()

/** A timer only while the broker throttles us and something waits: everything else is woken by a response. */
requestQueue.prototype.scheduleCheckPendingRequests = function (): void {
  const waitMs = this.throttledUntil - Date.now()
  if (this.throttleCheckTimeoutId || this.pending.length === 0 || waitMs <= 0) return
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null
    this.checkPendingRequests()
  }, waitMs)
}

/** Of a response: what says how long it is. */
const sizeBytes = 4
const connect = connection.prototype.connect

connection.prototype.connect = function (): Promise<unknown> {
  if (!this.isConnected()) Object.assign(this, { chunks: [], bytesBuffered: 0, bytesNeeded: sizeBytes })
  return connect.call(this)
}

connectionPool.prototype.getConnection = async function (index = 0): Promise<Connection> {
  const connection = this.pool[index]
  if (!connection) throw new RangeError(`a pool has no connection ${index}`)
  if (connection.isConnected()) return connection
  const pending = connecting.get(connection) ?? connection.connect().finally(() => connecting.delete(connection))
  connecting.set(connection, pending)
  await pending
  return connection
}
