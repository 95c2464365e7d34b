// Clients that hang up. What was not sent yet is not sent for them, and what is answered meanwhile is not noted as told: it waits
// for whoever asks again.
import { type ClientRequest, request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type Admission } from '#gateway/counters/counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { notesOf } from '#tests/notes.ts'
import { expectUnheard } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World } from '#tests/world.ts'

const identity = 'population/identity-verification'
const answer = { matched: true }

/** Decides when it is let. */
class SlowCounters extends MemoryCounters {
  readonly asked = Promise.withResolvers<void>()
  readonly let = Promise.withResolvers<void>()

  override async admit(admission: Admission) {
    this.asked.resolve()
    await this.let.promise
    return super.admit(admission)
  }
}

async function ask(world: World, headers: object): Promise<ClientRequest> {
  const authorization = `Bearer ${await world.token()}`
  const sent = request(`${world.url}/v1/services/${identity}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
  })
  sent.on('error', () => {})
  return sent.end(JSON.stringify(goodEnvelope))
}

/** The gateway is in this process and has read the end of the one connection before another request. */
async function hangUp(world: World, sent: ClientRequest): Promise<void> {
  sent.destroy()
  await world.send('/health/live')
}

const lineOf = (world: World, code: string) => world.lines().find(line => line['code'] === code)
const kindsOf = async (world: World): Promise<string[]> => (await notesOf(world)).map(({ kind }) => kind)
const requestsOf = (world: World): number =>
  world.published.filter(({ topic }) => topic === 'ndx.request.population').length

describe('a client that hangs up before its question is sent', () => {
  test('asks nothing about anybody, and its key is free again', async () => {
    const counters = new SlowCounters()
    const world = await startWorld({ counters, silent: ['business-registration'] })
    const headers = { 'idempotency-key': '"one"' }
    const sent = await ask(world, headers)
    await counters.asked.promise
    await hangUp(world, sent)
    counters.let.resolve()
    await until('it is concluded', () => lineOf(world, 'NDX_CLIENT_GONE') !== undefined)
    expectUnheard(lineOf(world, 'NDX_CLIENT_GONE'), 'NDX_CLIENT_GONE', { outcome: 'refused', sent: false })
    expect([requestsOf(world), await kindsOf(world)]).toEqual([0, ['refused']])
    const again = await world.ask(identity, goodEnvelope, { headers })
    expect([again.status, again.headers.get('idempotency-replayed'), again.body.reply]).toEqual([200, null, answer])
    await world.stop()
  })

  test('is asked for all the same when it did not want to wait', async () => {
    const counters = new SlowCounters()
    const world = await startWorld({ counters, silent: ['business-registration'] })
    const sent = await ask(world, { prefer: 'respond-async' })
    await counters.asked.promise
    await hangUp(world, sent)
    counters.let.resolve()
    await until('it is concluded', () => world.lines().some(line => line['outcome'] === 'accepted'))
    expect(requestsOf(world)).toBe(1)
    await world.stop()
  })
})

test('a client that hangs up before its answer comes: it was not told, and who asks again under its key is', async () => {
  const [asked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const world = await startWorld({
    ledger: true,
    silent: ['business-registration'],
    handlers: {
      [identity]: async () => {
        asked.resolve()
        await release.promise
        return answer
      },
    },
  })
  const headers = { 'idempotency-key': '"two"' }
  const sent = await ask(world, headers)
  await asked.promise
  await hangUp(world, sent)
  release.resolve()
  await until('it is concluded', () => lineOf(world, 'NDX_CLIENT_GONE') !== undefined)
  expectUnheard(lineOf(world, 'NDX_CLIENT_GONE'), 'NDX_CLIENT_GONE', { outcome: 'unknown', sent: true })
  expect(await kindsOf(world)).toEqual(['timed-out'])
  const again = await world.ask(identity, goodEnvelope, { headers })
  expect([again.status, again.headers.get('idempotency-replayed'), again.body.reply]).toEqual([200, 'true', answer])
  await until('that is noted', async () => (await kindsOf(world)).length === 2)
  expect([requestsOf(world), await kindsOf(world)]).toEqual([1, ['timed-out', 'delivered']])
  await world.stop()
})
