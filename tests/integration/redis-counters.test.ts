// RedisCounters on a real Redis: the suite of every Counters, and what happens when Redis dies, hangs, comes back, refuses
// the password or cannot be written to.
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type Admission, type Beginning, CountersUnavailable } from '#gateway/counters/counters.ts'
import { DegradingCounters } from '#gateway/counters/degrading-counters.ts'
import { RedisCounters, type RedisCountersOptions } from '#gateway/counters/redis-counters.ts'
import { until, within } from '#tests/bus/until.ts'
import { type RedisServer } from '#tests/stack/server.ts'
import { startRedis } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { describeCounters } from '#tests/suites/counters.ts'

const day = '2026-07-14'
const unavailable = { code: 'NDX_COUNTERS_UNAVAILABLE', facts: { retryAfterSeconds: 2 } }
/** Of its own, since the suite flushes it. */
const suiteDatabase = 9
const { redisUrl } = await stackOfWorker()
let clients = 0

const asking = (limits: Partial<Admission> = {}): Admission => ({
  client: `client-${process.pid}-${++clients}` as ClientId,
  service: 'population/identity-verification' as ServiceId,
  day,
  ratePerSecond: 1000,
  burst: 1000,
  ...limits,
})

const beginning = (parts: Partial<Beginning> = {}): Beginning => ({
  client: `client-${process.pid}-${++clients}` as ClientId,
  service: 'population/identity-verification' as ServiceId,
  key: 'x'.repeat(43),
  body: 'y'.repeat(43),
  exchangeId: randomUUID(),
  beganMs: Date.now(),
  deadlineMs: Date.now() + 2500,
  windowMs: 86_400_000,
  ...parts,
})

async function open(options: RedisCountersOptions): Promise<RedisCounters> {
  const counters = new RedisCounters(options)
  await counters.ping()
  return counters
}

/** Whether it is settled in this turn of the event loop: without asking Redis. */
async function isAtOnce(question: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  void question.finally(() => {
    isSettled = true
  })
  await new Promise(resolve => setImmediate(resolve))
  return isSettled
}

const faultOf = (question: Promise<unknown>): Promise<unknown> =>
  question.then(
    () => 'none',
    (error: unknown) => error,
  )

describeCounters('RedisCounters', async () => {
  const url = `${redisUrl}/${suiteDatabase}`
  const redis = new Redis(url)
  return {
    // What is decided is the matter here, not how soon.
    openCounters: () => open({ url, answerTimeoutMs: 30_000 }),
    now: Date.now,
    passTime: () => new Promise(resolve => setTimeout(resolve, 2)),
    loseAll: async () => void (await redis.flushdb()),
    close: async () => redis.disconnect(),
  }
})

describe('RedisCounters', () => {
  const url = redisUrl
  let redis: Redis
  beforeAll(() => {
    redis = new Redis(url)
  })
  afterAll(() => redis.disconnect())

  test('leaves no key that stays for ever but its markers, and gives all keys of a client one hash tag', async () => {
    const counters = await open({ url })
    const admission = asking({ quotaPerDay: 5, guesses: { subject: 's', max: 5, holdMs: 60_000 } })
    await counters.admit(admission)
    await counters.countMismatch(admission.client, 's', day, randomUUID())
    const began = beginning({ client: admission.client })
    await counters.begin(began)
    await counters.takeOver({ ...began, exchangeId: 'another' }, began.exchangeId)
    await counters.rememberExchange('another', began.client, 60_000)
    await counters.useOnce(`jti ${admission.client}`, 60_000)
    counters.count(`day of ${admission.client}`, admission.client, 'x/y', 'answered')
    await counters.close()
    const keys = await redis.keys('ndx:*')
    expect(keys.filter(key => key.startsWith(`ndx:{${admission.client}}:`))).toHaveLength(6)
    // One marker a client, which must outlive its entries; and the list of revoked tokens, which is pruned.
    for (const key of keys.filter(key => key !== 'ndx:revoked' && !key.endsWith('}:since'))) {
      expect([key, await redis.pttl(key)]).not.toEqual([key, -1])
    }
  })

  test('decides by Redis’s clock, whatever the gateways’ say', async () => {
    const [slow, fast] = await Promise.all([
      open({ url, now: () => Date.now() - 3_600_000 }),
      open({ url, now: () => Date.now() + 3_600_000 }),
    ])
    const admission = asking({ ratePerSecond: 0.001, burst: 1 })
    expect((await slow.admit(admission)).admitted).toBe(true)
    expect((await fast.admit(admission)).admitted).toBe(false)
    await Promise.all([slow.close(), fast.close()])
  })

  test('remembers a key in less than 300 bytes, and holds nothing but digests and times', async () => {
    const counters = await open({ url })
    const began = beginning({ key: 'a digest of the key', body: 'a digest of the body' })
    await counters.begin(began)
    const [name = '', ...others] = await redis.keys(`ndx:{${began.client}}:key:*`)
    expect(others).toEqual([])
    expect(await redis.memory('USAGE', name)).toBeLessThan(300)
    expect(await redis.get(name)).toMatch(/^[0-9a-f-]{36} [\w-]{22} \d{13} 2500$/)
    await counters.close()
  })

  test('says that all may be forgotten when a marker is lost', async () => {
    const counters = await open({ url })
    const first = beginning()
    const before = await counters.begin(first)
    await redis.del(`ndx:{${first.client}}:since`)
    await until('a millisecond later', () => Date.now() > first.beganMs + 5)
    const after = await counters.begin(beginning({ client: first.client, key: 'another' }))
    if (before.state !== 'new' || after.state !== 'new') throw new Error('not new')
    expect(after.rememberedSinceMs).toBeGreaterThan(before.rememberedSinceMs)
    await counters.close()
  })

  test('goes on when Redis has forgotten the scripts', async () => {
    const counters = await open({ url })
    await counters.admit(asking())
    await redis.script('FLUSH')
    expect((await counters.admit(asking())).admitted).toBe(true)
    await counters.close()
  })

  test('shows a wrong password clearly, and in no error or its cause', async () => {
    const counters = new RedisCounters({ url, password: 'not-the-password' })
    const error = await faultOf(counters.ping())
    expect(error).toBeInstanceOf(CountersUnavailable)
    expect(String(error)).toMatch(/^CountersUnavailable: Redis refuses the user or password: WRONGPASS/)
    expect(inspect(error, { depth: 9 })).not.toContain('not-the-password')
    await counters.close()
  })
})

test('an admission leaves at the end of the turn in which it was asked', async () => {
  const counters = await open({ url: redisUrl })
  /** Of the event loop, each long enough for Redis to answer. */
  const turnsOf = async (question: Promise<unknown>): Promise<number> => {
    let isAnswered = false
    void question.then(() => (isAnswered = true))
    for (let turns = 1; ; turns++) {
      const untilMs = performance.now() + 20
      while (performance.now() < untilMs);
      await new Promise(resolve => setImmediate(resolve))
      if (isAnswered) return turns
    }
  }
  let least = Number.POSITIVE_INFINITY
  // A busy machine may keep Redis from answering within a turn; it never answers before it was asked.
  for (let i = 0; i < 50 && least > 2; i++) least = Math.min(least, await turnsOf(counters.admit(asking())))
  expect(least).toBe(2)
  await counters.close()
})

describe('when Redis is away', () => {
  let server: RedisServer
  let shared: RedisCounters
  let counters: DegradingCounters
  let states: string[]
  let restore: () => Promise<void>
  const isShared = (): boolean => counters.state === 'shared'

  beforeAll(async () => {
    server = await startRedis()
  }, 60_000)
  beforeEach(async () => {
    states = []
    restore = async () => {}
    shared = await open({ url: server.url })
    counters = new DegradingCounters({ shared, instances: 2, onState: state => void states.push(state) })
  })
  afterEach(async () => {
    await restore()
    await counters.close()
  })
  afterAll(() => server?.stop())

  const kill = (): Promise<void> => {
    restore = () => server.start()
    return server.kill()
  }
  const hang = (): Promise<void> => {
    restore = () => server.resume()
    return server.pause()
  }
  const outages = [
    { name: 'killed', lose: kill },
    { name: 'hung', lose: hang },
  ]
  describe.each(outages)('$name', ({ lose }) => {
    test('a rate is decided here, and then without delay', async () => {
      const admission = asking({ ratePerSecond: 0.001, burst: 4 })
      await counters.admit(admission)
      await lose()
      const first = await counters.admit(admission)
      expect(first).toMatchObject({ admitted: true, source: 'local', rate: { remaining: 1 } })
      const second = await counters.admit(admission)
      expect(second).toMatchObject({ admitted: true, source: 'local', rate: { remaining: 0 } })
      expect((await counters.admit(admission)).violated).toBe('rate')
      const later = Promise.all(Array.from({ length: 200 }, () => counters.admit(asking())))
      expect(await isAtOnce(later)).toBe(true)
      expect((await later).every(verdict => verdict.source === 'local')).toBe(true)
      expect(states).toEqual(['local'])
    })

    test('a quota, guesses, one-time values and keys are refused, and then without delay', async () => {
      await lose()
      const questions = (): Promise<unknown>[] => [
        counters.admit(asking({ quotaPerDay: 10 })),
        counters.admit(asking({ guesses: { subject: 's', max: 3 } })),
        counters.useOnce(`jti ${++clients}`, 60_000),
        counters.revoke(`token ${++clients}`, Date.now() + 60_000),
        counters.countMismatch('bank' as ClientId, 's', day, randomUUID()),
        counters.readDay(day),
        counters.begin(beginning()),
        counters.takeOver(beginning(), 'another'),
        counters.forget('bank' as ClientId, beginning().service, 'key', 'another'),
        counters.rememberExchange('another', 'bank' as ClientId, 60_000),
        counters.clientOf('another'),
      ]
      for (const error of await Promise.all(questions().map(faultOf))) expect(error).toMatchObject(unavailable)
      const again = Promise.all(questions().map(faultOf))
      expect(await isAtOnce(again)).toBe(true)
      expect(await again).toMatchObject(Array(11).fill(unavailable))
    })

    test('a ping rejects', async () => {
      await lose()
      expect(await faultOf(counters.ping())).toBeInstanceOf(CountersUnavailable)
    })

    test('all is shared again when it is back, and what was counted meanwhile is written once', async () => {
      const client = `client-${process.pid}-${++clients}` as ClientId
      counters.count(day, client, 'x/y', 'answered')
      await counters.readDay(day)
      await lose()
      const count = (): void => counters.count(day, client, 'x/y', 'answered')
      count()
      await counters.admit(asking())
      // Long enough for a flush to be tried and its answer lost.
      await expect(shared.readDay(day)).rejects.toBeInstanceOf(CountersUnavailable)
      count()
      await restore()
      await until('the counters are shared again', isShared)
      expect((await counters.admit(asking({ quotaPerDay: 10 }))).source).toBe('shared')
      expect(states).toEqual(['local', 'shared'])
      const other = await open({ url: server.url })
      const written = async (): Promise<number | undefined> =>
        (await other.readDay(day)).find(row => row.client === client)?.count
      await expect.poll(written, { timeout: 30_000 }).toBe(3)
      await counters.close()
      expect(await written()).toBe(3)
      await other.close()
    })

    test('counters close all the same, and tell what they could not write', async () => {
      const lost: number[] = []
      const closing = await open({ url: server.url, onLost: names => void lost.push(names) })
      await lose()
      closing.count(day, 'bank' as ClientId, 'x/y', 'answered')
      await within(30_000, 'closed', closing.close())
      expect(lost).toEqual([1])
    })
  })

  test('200 admissions under way when it hangs all end here', async () => {
    await hang()
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => counters.admit(asking())))
    expect(verdicts.map(({ source }) => source)).toEqual(Array(200).fill('local'))
  })

  test('a Redis that hung until it was given up is found back when it returns', async () => {
    await hang()
    const fault = (): Promise<string> => counters.ping().then(String, String)
    await expect.poll(fault, { timeout: 30_000 }).toContain('Socket timeout')
    await counters.admit(asking())
    await restore()
    await until('the counters are shared again', isShared)
  })

  test('a Redis that answers but is full counts as away', async () => {
    const redis = new Redis(server.url)
    await redis.config('SET', 'maxmemory', 1)
    await expect(counters.ping()).rejects.toThrow(/OOM/)
    expect((await counters.admit(asking())).source).toBe('local')
    await redis.config('SET', 'maxmemory', 0)
    await until('the counters are shared again', isShared)
    redis.disconnect()
  })

  test('what was revoked and used before a crash still is after it', async () => {
    const id = `kept ${++clients}`
    await counters.revoke(id, Date.now() + 60_000)
    await counters.useOnce(id, 60_000)
    const redis = new Redis(server.url)
    // The append-only file is written each second; a crash sooner loses what came last.
    await redis.config('SET', 'appendfsync', 'always')
    redis.disconnect()
    await kill()
    await restore()
    await expect.poll(() => counters.revoked().catch(() => []), { timeout: 30_000 }).toContain(id)
    expect(await counters.useOnce(id, 60_000)).toBe(false)
  })

  test('a key begun before a crash is known after it, and what may have been lost is said', async () => {
    const redis = new Redis(server.url)
    await redis.config('SET', 'appendfsync', 'always')
    redis.disconnect()
    const first = beginning()
    const before = await counters.begin(first)
    await kill()
    await restore()
    await until('the counters answer again', () =>
      shared.ping().then(
        () => true,
        () => false,
      ),
    )
    await until('the counters are shared again', isShared)
    // By default a crash loses what was written in its last second, and nothing tells which keys that were.
    const second = beginning({ client: first.client, key: 'another' })
    const after = await counters.begin(second)
    if (before.state !== 'new' || after.state !== 'new') throw new Error('not new')
    expect(after.rememberedSinceMs).toBeGreaterThan(before.rememberedSinceMs)
    expect(await counters.begin(beginning({ client: first.client }))).toMatchObject({
      state: 'same',
      exchangeId: first.exchangeId,
    })
    expect(await counters.begin(beginning({ client: first.client, key: 'a third' }))).toEqual(after)
  })
})
