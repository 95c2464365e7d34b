// A graceful stop: whatever was asked before it is answered, and whatever comes after is refused or not connected.
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'

test('cuts no exchange: what is in flight is answered after the stop began, and new ones are refused', async () => {
  const held: (() => void)[] = []
  const world = await startWorld({
    silent: ['business-registration'],
    handlers: { [identity]: () => new Promise(resolve => held.push(() => resolve({ matched: true }))) },
    contracts: {
      'population/identity-verification.v1.json': ({ limits }) => {
        delete limits.mismatchesPerSubjectPerDay
      },
    },
  })
  await world.token()
  const asked = ['2001', '2001-11-27'].flatMap(dateOfBirth =>
    Array.from({ length: 10 }, () =>
      world.ask(identity, { ...goodEnvelope, request: { ...goodEnvelope.request, dateOfBirth } }),
    ),
  )
  const pendingIs = async (count: number) =>
    (await world.operations('/metrics')).text.includes(`\nndx_pending ${count}\n`)
  await until('all are in flight', () => pendingIs(20))
  let isStopped = false
  const stopped = world.stop().then(() => {
    isStopped = true
  })
  await until('the listener is closed', () =>
    world.ask(identity).then(
      ({ status }) => status === 503,
      () => true,
    ),
  )
  expect([isStopped, world.lines().some(({ event }) => event === 'stopped')]).toEqual([false, false])
  expect(await pendingIs(20)).toBe(true)
  await until('all are answered', () => {
    for (const answer of held.splice(0)) answer()
    return world.lines().filter(({ outcome }) => outcome === 'answered').length === 20
  })
  expect((await Promise.all(asked)).map(({ status, body }) => [status, body.reply])).toEqual(
    Array(20).fill([200, { matched: true }]),
  )
  await stopped
  await expect(world.ask(identity)).rejects.toThrow()
  expect(world.lines().at(-1)?.event).toMatch(/^(stopped|host)$/)
})

test('waits for an exchange whose client has left, so that its end is recorded', async () => {
  let answer: (() => void) | undefined
  const world = await startWorld({
    silent: ['business-registration'],
    handlers: {
      [identity]: () =>
        new Promise(resolve => {
          answer = () => resolve({ matched: true })
        }),
    },
  })
  const token = await world.token()
  const leaving = new AbortController()
  const left = world.send(`/v1/services/${identity}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(goodEnvelope),
    signal: leaving.signal,
  })
  await until('it is asked', () => answer !== undefined)
  leaving.abort()
  await expect(left).rejects.toThrow()
  const stopped = world.stop()
  await until('the stop has begun', () => world.lines().some(({ event }) => event === 'stopping'))
  await until('the listener is closed', () =>
    fetch(`${world.url}/health/live`).then(
      () => false,
      () => true,
    ),
  )
  expect(world.lines().some(({ event }) => event === 'stopped')).toBe(false)
  answer?.()
  await stopped
  expect(
    world
      .lines()
      .filter(({ event }) => event === 'exchange')
      .map(({ outcome, code, repliedMs }) => [outcome, code, typeof repliedMs]),
  ).toEqual([['unknown', 'NDX_CLIENT_GONE', 'number']])
})

test('is done once, however often it is asked for', async () => {
  const world = await startWorld({ silent: ['population', 'business-registration'] })
  await Promise.all([world.gateway.stop(), world.gateway.stop()])
  await world.stop()
  expect(world.lines().filter(({ event }) => event === 'stopped')).toHaveLength(1)
})

test('does not wait for a connection on which nothing was ever said', async () => {
  const world = await startWorld({ silent: ['population', 'business-registration'] })
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const cut = once(socket, 'close')
  await world.stop()
  await cut
  expect(world.lines().filter(({ event }) => event === 'stopped')).toHaveLength(1)
})
