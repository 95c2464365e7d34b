// The counters all gateways share, on Redis; the only file that imports ioredis. Each decision is one script, one round trip.
// When Redis is away or hangs every call rejects with CountersUnavailable, at once or after 250 ms; what that means is
// decided in degrading-counters.ts. It reconnects by itself for ever. README.md here says why each choice is as it is.
import { hash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { Admissions } from '#gateway/counters/admissions.ts'
import { AnswerDeadline } from '#gateway/counters/answer-deadline.ts'
import { checkExchangeId, compareEntry, isExchangeId, keyName, writeEntry } from '#gateway/counters/beginning.ts'
import { type CountBatch, CountWriter } from '#gateway/counters/count-writer.ts'
import {
  type Admission,
  type Beginning,
  type Begun,
  type Counters,
  CountersUnavailable,
  type DayCount,
  mismatchesMax,
  type Verdict,
} from '#gateway/counters/counters.ts'
import { listCounts } from '#gateway/counters/day-counts.ts'
import { GuessReleases } from '#gateway/counters/guess-releases.ts'
import { secondsLeft } from '#gateway/counters/quota-day.ts'

const connectedTimeoutMs = 250
const flushEveryMs = 200
const countsLifeMs = 40 * 86_400_000
const pingLifeMs = 60_000
const revokedMax = 50_000
const violations = [undefined, 'guesses', 'quota', 'rate'] as const

const readScript = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8')

const settings = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 500,
  disconnectTimeout: 250,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
  // After a restart Redis reads its file and says how long that takes, rounded up to seconds; ask again sooner.
  maxLoadingRetryTime: 250,
  noDelay: true,
  connectionName: 'ndx-gateway',
  scripts: {
    admit: { lua: readScript('admit') },
    countMismatch: { lua: readScript('count-mismatch'), numberOfKeys: 2 },
    begin: { lua: readScript('begin'), numberOfKeys: 2 },
    mark: { lua: readScript('mark'), numberOfKeys: 1 },
    forget: { lua: readScript('forget'), numberOfKeys: 1 },
    takeOver: { lua: readScript('take-over'), numberOfKeys: 1 },
    releaseGuesses: { lua: readScript('release-guesses') },
    addCounts: { lua: readScript('add-counts'), numberOfKeys: 2 },
    revoke: { lua: readScript('revoke'), numberOfKeys: 1 },
    revoked: { lua: readScript('revoked'), numberOfKeys: 1 },
  },
} satisfies RedisOptions

/** The scripts as ioredis offers them. */
interface ScriptedRedis extends Redis {
  admit(...keyCountKeysAndArguments: (string | number)[]): Promise<number[]>
  countMismatch(mismatches: string, held: string, exchangeId: string, max: number): Promise<number>
  mark(since: string): Promise<number>
  begin(key: string, since: string, entry: string, windowMs: number): Promise<[string, number]>
  forget(key: string, exchangeId: string): Promise<number>
  takeOver(key: string, from: string, entry: string, windowMs: number): Promise<number>
  releaseGuesses(keyCount: number, ...heldKeys: string[]): Promise<number>
  addCounts(counts: string, writer: string, ...batch: (string | number)[]): Promise<number>
  revoke(key: string, tokenId: string, untilMs: number, max: number): Promise<number>
  revoked(key: string): Promise<string[]>
}

export interface RedisCountersOptions {
  /** `redis://[user[:password]@]host:port[/db]`, or `rediss:` for TLS. */
  url: string
  /** Instead of one in the URL. */
  password?: string
  /** Epoch ms; only for the seconds until a quota resets. All that is decided is decided by Redis's clock. */
  now?: () => number
  /** How long Redis may owe an answer before the call rejects. */
  answerTimeoutMs?: number
  /** Told on close how many audit counts could not be written. */
  onLost?: (counts: number) => void
}

export class RedisCounters implements Counters {
  readonly #redis: ScriptedRedis
  readonly #now: () => number
  readonly #onLost: (counts: number) => void
  readonly #writerId = randomUUID()
  readonly #writer: CountWriter
  readonly #deadline: AnswerDeadline
  readonly #admissions = new Admissions((keys, limits) =>
    this.#ask(() => this.#redis.admit(keys.length, ...keys, ...limits)),
  )
  readonly #releases = new GuessReleases(heldKeys =>
    this.#ask(() => this.#redis.releaseGuesses(heldKeys.length, ...heldKeys)),
  )
  #isGathering = false
  #lastError: Error | undefined
  #connecting: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor({ url, password, now = Date.now, answerTimeoutMs = 250, onLost = () => {} }: RedisCountersOptions) {
    this.#now = now
    this.#deadline = new AnswerDeadline(answerTimeoutMs)
    this.#onLost = onLost
    const address = new URL(url)
    if (password !== undefined) address.password = encodeURIComponent(password)
    // `scripts` adds the methods, which ioredis cannot tell TypeScript.
    // A peer that owes an answer for four times as long is given up and connected to anew; else a cut line is noticed after
    // minutes. AnswerDeadline gives up the single question; ioredis's commandTimeout takes our own pauses for Redis's.
    this.#redis = new Redis(address.href, { ...settings, socketTimeout: 4 * answerTimeoutMs }) as ScriptedRedis
    // ioredis reports every failed attempt to connect here; the next call that needs Redis says so.
    this.#redis.on('error', error => {
      this.#lastError = withoutCommand(error)
    })
    this.#redis.on('ready', () => {
      this.#lastError = undefined
    })
    this.#writer = new CountWriter({ everyMs: flushEveryMs, write: batch => this.#addCounts(batch) })
  }

  async admit(admission: Admission): Promise<Verdict> {
    const { client, service, day, ratePerSecond, burst, quotaPerDay = -1, guesses } = admission
    const keys = [`ndx:{${client}}:rate:${service}`]
    if (quotaPerDay >= 0) keys.push(`ndx:{${client}}:quota:${service}:${day}`)
    if (guesses !== undefined) keys.push(...guessKeys(client, guesses.subject, day))
    const limits = [ratePerSecond, burst, quotaPerDay, guesses?.max ?? -1, guesses?.holdMs ?? 0]
    const decision = this.#admissions.add(client, { keys, limits })
    this.#gather()
    const [code, remaining, resetSeconds, quotaLeft] = await decision
    const violated = violations[code]
    return {
      admitted: violated === undefined,
      ...(violated !== undefined && { violated }),
      rate: { remaining, resetSeconds },
      ...(quotaPerDay >= 0 && { quota: { remaining: quotaLeft, resetSeconds: secondsLeft(day, this.#now()) } }),
      source: 'shared',
    }
  }

  async countMismatch(client: ClientId, subject: string, day: string, exchangeId: string): Promise<number> {
    const keys = guessKeys(client, subject, day)
    return this.#ask(() => this.#redis.countMismatch(...keys, exchangeId, mismatchesMax))
  }

  async releaseGuess(client: ClientId, subject: string, day: string): Promise<void> {
    await this.#releases.add(client, guessKeys(client, subject, day)[1])
  }

  count(day: string, client: ClientId, service: string, outcome: string): void {
    this.#writer.add(day, client, service, outcome)
  }

  async readDay(day: string): Promise<DayCount[]> {
    await this.#writer.flush()
    // One connection keeps the order: whatever is handed over after this line is not in the answer.
    const counts = new Map(this.#writer.waiting(day))
    const stored = await this.#ask(() => this.#redis.hgetall(countsKey(day)))
    for (const [name, count] of Object.entries(stored)) counts.set(name, (counts.get(name) ?? 0) + Number(count))
    return listCounts(counts)
  }

  async useOnce(value: string, lifeMs: number): Promise<boolean> {
    const key = `ndx:once:${hash('sha256', value, 'base64url')}`
    return (await this.#ask(() => this.#redis.set(key, '', 'PX', Math.ceil(lifeMs), 'NX'))) === 'OK'
  }

  async begin(beginning: Beginning): Promise<Begun> {
    const { client, service, key, body, windowMs } = beginning
    const entry = writeEntry(beginning)
    const keys = [idempotencyKey(client, service, key), sinceKey(client)] as const
    const [taken, rememberedSinceMs] = await this.#ask(() => this.#redis.begin(...keys, entry, Math.ceil(windowMs)))
    return taken === '' ? { state: 'new', rememberedSinceMs } : compareEntry(taken, body)
  }

  async mark(clients: Iterable<ClientId>): Promise<void> {
    await Promise.all(Array.from(clients, client => this.#ask(() => this.#redis.mark(sinceKey(client)))))
  }

  async forget(client: ClientId, service: ServiceId, key: string, exchangeId: string): Promise<void> {
    await this.#ask(() => this.#redis.forget(idempotencyKey(client, service, key), exchangeId))
  }

  async takeOver(beginning: Beginning, from: string): Promise<boolean> {
    const { client, service, key, windowMs } = beginning
    const entry = writeEntry(beginning)
    const name = idempotencyKey(client, service, key)
    return (await this.#ask(() => this.#redis.takeOver(name, from, entry, Math.ceil(windowMs)))) === 1
  }

  async rememberExchange(exchangeId: string, client: ClientId, lifeMs: number): Promise<void> {
    checkExchangeId(exchangeId)
    await this.#ask(() => this.#redis.set(exchangeKey(exchangeId), client, 'PX', Math.ceil(lifeMs)))
  }

  async clientOf(exchangeId: string): Promise<ClientId | undefined> {
    if (!isExchangeId(exchangeId)) return undefined
    const client = await this.#ask(() => this.#redis.get(exchangeKey(exchangeId)))
    return client === null ? undefined : (client as ClientId)
  }

  async revoke(tokenId: string, untilMs: number): Promise<void> {
    const revoked = await this.#ask(() => this.#redis.revoke(revokedKey, tokenId, Math.ceil(untilMs), revokedMax))
    if (revoked === 0) throw new CountersUnavailable(`The list of revoked tokens is full: ${revokedMax}`)
  }

  async revoked(): Promise<string[]> {
    return this.#ask(() => this.#redis.revoked(revokedKey))
  }

  /** Writes a key: a Redis that answers but cannot be written to (full, a replica) counts nothing. */
  async ping(): Promise<void> {
    if (this.#redis.status !== 'ready') {
      this.#connecting ??= this.#connected()
      await this.#connecting
    }
    await this.#ask(() => this.#redis.set('ndx:ping', '', 'PX', pingLifeMs))
  }

  async close(): Promise<void> {
    this.#closed ??= this.#writeAndDisconnect()
    return this.#closed
  }

  async #writeAndDisconnect(): Promise<void> {
    this.#writer.stop()
    await this.#releases.flush()
    await this.#writer
      .flush()
      .catch(() => this.#writer.flush())
      .catch(() => this.#onLost(this.#writer.pending))
    this.#redis.disconnect()
  }

  async #addCounts({ number, day, counts }: CountBatch): Promise<void> {
    const writer = `ndx:{${day}}:writer:${this.#writerId}`
    await this.#ask(() => this.#redis.addCounts(countsKey(day), writer, number, countsLifeMs, ...counts.flat()))
  }

  /** Waits for a connection being made; ping says soon after the start, and after an outage, whether it came about. */
  async #connected(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, connectedTimeoutMs)
    this.#redis.once('ready', resolve).once('error', resolve)
    await promise
    clearTimeout(timer)
    this.#redis.off('ready', resolve).off('error', resolve)
    this.#connecting = undefined
  }

  async #ask<T>(send: () => Promise<T>): Promise<T> {
    this.#gather()
    try {
      return await this.#deadline.within(send())
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /** All questions of one turn of the event loop leave in one write; each is answered, or not, by itself. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const socket = this.#redis.status === 'ready' ? this.#redis.stream : undefined
    socket?.cork()
    setImmediate(() => {
      this.#admissions.flush()
      this.#isGathering = false
      socket?.uncork()
    })
  }

  #explain(error: unknown): CountersUnavailable {
    const cause = this.#redis.status === 'ready' ? withoutCommand(error) : (this.#lastError ?? withoutCommand(error))
    if (/WRONGPASS|NOAUTH|invalid password/.test(cause.message)) {
      return new CountersUnavailable(`Redis refuses the user or password: ${cause.message}`, { cause })
    }
    return new CountersUnavailable(`Redis does not answer: ${cause.message}`, { cause })
  }
}

const sinceKey = (client: ClientId): string => `ndx:{${client}}:since`
const revokedKey = 'ndx:revoked'
const exchangeKey = (exchangeId: string): string => `ndx:exchange:${exchangeId}`
const idempotencyKey = (client: ClientId, service: ServiceId, key: string): string =>
  `ndx:{${client}}:key:${keyName(service, key)}`
const countsKey = (day: string): string => `ndx:{${day}}:counts`

/** Mismatches and holds; one hash tag a client, so that one script may touch all its keys. */
function guessKeys(client: ClientId, subject: string, day: string): [string, string] {
  return [`ndx:{${client}}:mismatches:${day}:${subject}`, `ndx:{${client}}:held:${day}:${subject}`]
}

/** ioredis hangs the command on its errors, the password in AUTH and HELLO included; a log would print it. */
function withoutCommand(error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  Reflect.deleteProperty(cause, 'command')
  return cause
}
