// One timer for all questions; and a pause of our own is not taken for silence of the other side.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { AnswerDeadline } from '#gateway/counters/answer-deadline.ts'

const silence = (): Promise<never> => new Promise(() => {})

afterEach(() => void vi.useRealTimers())

test('hands on answers and failures that come in time', async () => {
  const deadline = new AnswerDeadline(1000)
  await expect(deadline.within(Promise.resolve(1))).resolves.toBe(1)
  await expect(deadline.within(Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('ends every question that waits too long, those asked later after it later', async () => {
  const deadline = new AnswerDeadline(40)
  const startMs = performance.now()
  const first = deadline.within(silence()).catch(() => performance.now() - startMs)
  await new Promise(resolve => setImmediate(resolve))
  const second = deadline.within(silence())
  expect(await first).toBeGreaterThanOrEqual(40)
  await expect(second).rejects.toThrow('No answer within 40 ms')
})

test('a pause of our own after time was up for one is not taken from those that asked later', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
  const deadline = new AnswerDeadline(30)
  const first = deadline.within(silence()).catch((error: Error) => error.message)
  vi.advanceTimersByTime(15)
  let answer = (_: string): void => {}
  const second = deadline.within(new Promise<string>(resolve => (answer = resolve)))
  // In the turn in which time is up for the first, the loop is held until it is for the second too; then its answer is read.
  vi.advanceTimersByTime(15)
  vi.advanceTimersByTime(40)
  setImmediate(() => answer('answer'))
  expect(await first).toBe('No answer within 30 ms')
  expect(await second).toBe('answer')
})

test('reads what has arrived before it calls a question unanswered', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown]
  const answer = new AnswerDeadline(50).within(once(socket, 'data'))
  peer.end('answer')
  const untilMs = performance.now() + 80
  while (performance.now() < untilMs);
  expect(String((await answer)[0])).toBe('answer')
  socket.destroy()
  server.close()
})
