// What every Counters promises of Idempotency-Keys and of whose an exchange is; a part of the suite in counters.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type Beginning, type Counters } from '#gateway/counters/counters.ts'
import { type CountersWorld, newClient, newExchange, passTimeUntil } from './counters-world.ts'

export function describeIdempotencyKeys(makeWorld: () => Promise<CountersWorld>): void {
  const service = 'population/identity-verification' as ServiceId
  let world: CountersWorld
  let counters: Counters
  let client: ClientId
  const passUntil = (what: string, isMet: () => Promise<boolean>): Promise<number> => passTimeUntil(world, what, isMet)

  beforeAll(async () => {
    world = await makeWorld()
    counters = await world.openCounters()
  })
  beforeEach(() => {
    client = newClient()
  })
  afterAll(async () => {
    await counters?.close()
    await world?.close()
  })

  describe('an Idempotency-Key', () => {
    const other = 'population/citizen-record' as ServiceId
    const beginning = (parts: Partial<Beginning> = {}): Beginning => ({
      client,
      service,
      key: 'digest-of-the-key',
      body: 'digest-of-the-body',
      exchangeId: newExchange(),
      beganMs: 1_780_000_000_000,
      deadlineMs: 1_780_000_002_500,
      windowMs: 60_000,
      ...parts,
    })
    const isNew = expect.objectContaining({ state: 'new', rememberedSinceMs: expect.any(Number) })
    const same = ({ exchangeId, beganMs, deadlineMs }: Beginning): unknown => ({
      state: 'same',
      exchangeId,
      beganMs,
      deadlineMs,
    })

    test('is new once, for every gateway, and then names the first exchange', async () => {
      const gateway = await world.openCounters()
      const first = beginning()
      expect(await counters.begin(first)).toEqual(isNew)
      const retry = beginning({ beganMs: first.beganMs + 900, deadlineMs: first.deadlineMs + 900 })
      expect(await counters.begin(retry)).toEqual(same(first))
      expect(await gateway.begin(retry)).toEqual(same(first))
      await gateway.close()
    })

    test('with another body is another question', async () => {
      await counters.begin(beginning())
      expect(await counters.begin(beginning({ body: 'digest-of-another' }))).toEqual({ state: 'other' })
    })

    test('is one for each client and each service', async () => {
      const first = beginning()
      await counters.begin(first)
      expect(await counters.begin(beginning({ client: newClient() }))).toEqual(isNew)
      expect(await counters.begin(beginning({ service: other, body: 'digest-of-another' }))).toEqual(isNew)
      expect(await counters.begin(beginning({ key: 'digest-of-another-key' }))).toEqual(isNew)
      expect(await counters.begin(beginning())).toEqual(same(first))
    })

    test('is new for one of 50 at once, and the others are told of that one', async () => {
      const beginnings = Array.from({ length: 50 }, () => beginning())
      const answers = await Promise.all(beginnings.map(each => counters.begin(each)))
      const winner = answers.findIndex(answer => answer.state === 'new')
      expect(answers.filter((_, index) => index !== winner)).toEqual(Array(49).fill(same(beginnings[winner]!)))
    })

    test('is new again after its window', async () => {
      const startMs = world.now()
      await counters.begin(beginning({ windowMs: 80 }))
      const begin = async (): Promise<boolean> => (await counters.begin(beginning({ windowMs: 80 }))).state === 'new'
      await passUntil('the end of its window', begin)
      expect(world.now() - startMs).toBeGreaterThanOrEqual(75)
    })

    test('tells the whole milliseconds that its times span', async () => {
      const first = beginning({ beganMs: 1000.7, deadlineMs: 3500.2 })
      await counters.begin(first)
      expect(await counters.begin(beginning())).toEqual(same({ ...first, beganMs: 1000, deadlineMs: 3501 }))
    })

    test('is free again when its exchange is forgotten, and only by that exchange', async () => {
      const first = beginning()
      await counters.begin(first)
      await counters.forget(client, service, first.key, newExchange())
      await counters.forget(client, service, first.key, first.exchangeId.slice(0, -1))
      await counters.forget(client, other, first.key, first.exchangeId)
      await counters.forget(newClient(), service, first.key, first.exchangeId)
      expect(await counters.begin(beginning())).toEqual(same(first))
      await counters.forget(client, service, first.key, first.exchangeId)
      const second = beginning({ body: 'digest-of-another' })
      expect(await counters.begin(second)).toEqual(isNew)
      await counters.forget(client, service, first.key, first.exchangeId)
      expect(await counters.begin(second)).toEqual(same(second))
    })

    test('is taken over from the exchange it names, and from no other', async () => {
      const [first, second, third] = [beginning(), beginning(), beginning({ deadlineMs: 1_780_000_009_000 })]
      expect(await counters.takeOver(second, first.exchangeId)).toBe(false)
      expect(await counters.begin(first)).toEqual(isNew)
      expect(await counters.takeOver(third, second.exchangeId)).toBe(false)
      expect(await counters.takeOver(third, first.exchangeId)).toBe(true)
      expect(await counters.takeOver(second, first.exchangeId)).toBe(false)
      expect(await counters.begin(second)).toEqual(same(third))
    })

    test('is taken over by one of 50 at once', async () => {
      const first = beginning()
      await counters.begin(first)
      const heirs = Array.from({ length: 50 }, () => beginning())
      const taken = await Promise.all(heirs.map(heir => counters.takeOver(heir, first.exchangeId)))
      expect(taken.filter(isTaken => isTaken)).toHaveLength(1)
      expect(await counters.begin(beginning())).toEqual(same(heirs[taken.indexOf(true)]!))
    })

    test('taken over is remembered for a window from then', async () => {
      const heir = beginning({ windowMs: 60_000 })
      await passUntil('it is taken over before the first window ends', async () => {
        const first = beginning({ windowMs: 150 })
        await counters.begin(first)
        return counters.takeOver(heir, first.exchangeId)
      })
      const endMs = world.now() + 200
      await passUntil('the end of the first window', async () => world.now() > endMs)
      expect(await counters.begin(beginning())).toEqual(same(heir))
    })

    test('is told with the time since when nothing was forgotten, which stays while nothing is', async () => {
      const first = await counters.begin(beginning())
      await world.passTime()
      expect(await counters.begin(beginning({ key: 'second' }))).toEqual(first)
      expect(first).toEqual(isNew)
      expect(first.state === 'new' && first.rememberedSinceMs).toBeLessThanOrEqual(world.now() + 1000)
    })

    test('is new after a flush, and says that all before it may have been forgotten', async () => {
      const own = await makeWorld()
      const before = await own.openCounters()
      const first = await before.begin(beginning())
      await before.close()
      for (let i = 0; i < 5; i += 1) await own.passTime()
      await own.loseAll()
      const after = await own.openCounters()
      const again = await after.begin(beginning())
      expect([first, again]).toEqual([isNew, isNew])
      const sinceMs = (begun: typeof first): number => (begun.state === 'new' ? begun.rememberedSinceMs : Number.NaN)
      expect(sinceMs(again)).toBeGreaterThan(sinceMs(first))
      await after.close()
      await own.close()
    })

    test.each([
      ['a key', { key: 'k'.repeat(128) }, { key: 'k'.repeat(129) }],
      ['a body', { body: 'b'.repeat(128) }, { body: 'b'.repeat(129) }],
      ['an exchange id', { exchangeId: 'e'.repeat(64) }, { exchangeId: 'e'.repeat(65) }],
      ['a window', { windowMs: 40 * 86_400_000 }, { windowMs: 40 * 86_400_000 + 1 }],
      ['a time to answer', { deadlineMs: 1_780_000_000_000 }, { deadlineMs: 1_779_999_999_999 }],
    ] as [string, Partial<Beginning>, Partial<Beginning>][])(
      'takes %s at its limit and not one past it',
      async (_, at, past) => {
        expect(await counters.begin(beginning(at))).toEqual(isNew)
        await expect(counters.begin(beginning({ key: 'another', ...past }))).rejects.toThrow(RangeError)
        await expect(counters.takeOver(beginning({ ...at, ...past }), 'x')).rejects.toThrow(RangeError)
      },
    )

    test.each([
      ['no key', { key: '' }],
      ['no body', { body: '' }],
      ['no exchange id', { exchangeId: '' }],
      ['an exchange id of two words', { exchangeId: 'a b' }],
      ['no window', { windowMs: 0 }],
      ['a beginning that is no time', { beganMs: Number.NaN }],
    ] as [string, Partial<Beginning>][])('refuses %s', async (_, parts) => {
      await expect(counters.begin(beginning(parts))).rejects.toThrow(RangeError)
    })
  })

  describe('an exchange', () => {
    test('is remembered as its client’s, at every gateway, for its life', async () => {
      const gateway = await world.openCounters()
      const [long, short] = [newExchange(), newExchange()]
      await counters.rememberExchange(long, client, 60_000)
      await passUntil('both are known before the short one ends', async () => {
        await counters.rememberExchange(short, client, 80)
        return (await gateway.clientOf(short)) === client && (await gateway.clientOf(long)) === client
      })
      await passUntil('the end of its life', async () => (await gateway.clientOf(short)) === undefined)
      expect(await gateway.clientOf(long)).toBe(client)
      await gateway.close()
    })

    test('that nobody told of is nobody’s, and so is what is no exchange id', async () => {
      for (const id of [newExchange(), '', 'a b', 'x'.repeat(65), 'x'.repeat(100_000)]) {
        expect(await counters.clientOf(id)).toBeUndefined()
      }
    })

    test('is remembered by an id of 64 characters and not of 65', async () => {
      const id = `${newExchange()}-`.padEnd(64, 'x')
      await counters.rememberExchange(id, client, 60_000)
      expect(await counters.clientOf(id)).toBe(client)
      await expect(counters.rememberExchange(`${id}x`, client, 60_000)).rejects.toThrow(RangeError)
    })
  })
}
