// Brings notes to the broker: one sheet at a time, in the order of their numbers, the same one again for as long as it is not
// acknowledged. Waits a little for more, so that under load sheets are large. First comes what runs have left that are gone.
import { setTimeout as pause } from 'node:timers/promises'
import { type OutgoingRecord } from '#bus/bus.ts'
import { type Sheet, writeSheet } from '#bus/note.ts'
import { type NoteQueue } from './note-queue.ts'

export interface NoteSenderParts {
  source: string
  queue: NoteQueue
  publish(record: OutgoingRecord): Promise<void>
  /** Epoch ms. */
  now(): number
  lingerMs: number
  /** The broker has all notes before this number. */
  onAcknowledged(next: number): void
  /** A sheet was not taken; it is sent again after a pause. */
  onRejection(error: unknown): void
}

export interface NoteSender {
  /** Begins. `before` is sent first; it must not reject. */
  start(before: () => Promise<void>): void
  /** The queue has more than it had. */
  wake(): void
  /** Resolves when it is acknowledged; rejects when `kill` was called before. */
  deliver(sheet: Sheet): Promise<void>
  /** Sends what there is without waiting for more; false: not all was acknowledged within so long. */
  drain(maxMs: number): Promise<boolean>
  kill(): void
}

const pausesMs = { first: 100, max: 5_000 }

export function createNoteSender(parts: NoteSenderParts): NoteSender {
  const { source, queue, publish, now, lingerMs, onAcknowledged, onRejection } = parts
  const killed = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let isBusy = true
  let isDraining = false
  const drained: (() => void)[] = []

  async function deliver(sheet: Sheet): Promise<void> {
    for (let pauseMs = pausesMs.first; ; pauseMs = Math.min(pauseMs * 2, pausesMs.max)) {
      killed.signal.throwIfAborted()
      try {
        return await publish(writeSheet(sheet, now()))
      } catch (error) {
        onRejection(error)
        await pause(pauseMs, undefined, { signal: killed.signal, ref: false })
      }
    }
  }

  async function sendAll(): Promise<void> {
    isBusy = true
    for (let batch = queue.batch(); batch !== undefined; batch = queue.batch()) {
      await deliver({ source, ...batch })
      queue.drop(batch.notes.length)
      onAcknowledged(batch.first + batch.notes.length)
      if (!isDraining && !queue.hasFullBatch) break
    }
    isBusy = false
    if (queue.size === 0) for (const tell of drained.splice(0)) tell()
    wake()
  }

  const send = (): void => {
    timer = undefined
    if (!isBusy) sendAll().catch(() => {})
  }

  function wake(): void {
    if (isBusy || queue.size === 0) return
    if (!isDraining && !queue.hasFullBatch) {
      timer ??= setTimeout(send, lingerMs).unref()
      return
    }
    clearTimeout(timer)
    send()
  }

  return {
    start(before) {
      void before().then(() => {
        isBusy = false
        if (queue.size === 0) for (const tell of drained.splice(0)) tell()
        wake()
      })
    },
    wake,
    deliver,
    async drain(maxMs) {
      isDraining = true
      const isEmpty = new Promise<boolean>(resolve => {
        if (!isBusy && queue.size === 0) resolve(true)
        else drained.push(() => resolve(true))
      })
      wake()
      const late = new AbortController()
      const isLate = pause(maxMs, false, { signal: late.signal }).catch(() => false)
      return Promise.race([isEmpty, isLate]).finally(() => late.abort())
    },
    kill() {
      clearTimeout(timer)
      killed.abort()
    },
  }
}
