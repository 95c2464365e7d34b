// The load, in a process of its own so that its CPU is not counted as anybody else's: gets assignments from the bench one at
// a time, answers each with its tally, and ends when the bench is gone.
import { Fifo } from '#bus/fifo.ts'
import { answerMaxMs, Connection } from './connection.ts'
import { type Assignment, type Tally } from './load.ts'
import { percentile } from './percentile.ts'
import { createQuestionPool, createQuestions, type Questions } from './questions.ts'

const pool = createQuestionPool()
/** An open loop opens more connections when all are waiting for an answer, up to so many. */
const connectionsMax = 4_000
const brokenPauseMs = 50

process.on('message', (assignment: Assignment) => {
  void run(assignment).then(tally => process.send?.(tally))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function run({ url, token, load, seconds, about }: Assignment): Promise<Tally> {
  const round = new Round(url, createQuestions(pool, token, about), seconds)
  if (load.kind === 'closed') await runClosed(round, load.concurrent)
  else await runOpen(round, load.perSecond, seconds)
  return round.end(seconds)
}

/** The connections, what was sent over them and what came back. */
class Round {
  readonly #url: string
  readonly #questions: Questions
  readonly #connections: Connection[] = []
  readonly #latencies: number[] = []
  readonly #watch: NodeJS.Timeout
  readonly untilMs: number
  readonly statuses: Record<number, number> = {}
  readonly lags: number[] = []
  readonly #codes: Record<string, number> = {}
  #wrong = 0
  #within = 0

  constructor(url: string, questions: Questions, seconds: number) {
    this.#url = url
    this.#questions = questions
    this.untilMs = performance.now() + seconds * 1000
    this.#watch = setInterval(() => {
      for (const connection of this.#connections) connection.expire(performance.now())
    }, 500)
  }

  get connectionCount(): number {
    return this.#connections.length
  }

  connect(): Connection {
    const connection = new Connection(this.#url)
    this.#connections.push(connection)
    return connection
  }

  /** @param fromMs where latency counts from */
  ask(connection: Connection, fromMs: number, then: (nowMs: number, status: number) => void): void {
    const { bytes, expected } = this.#questions.next()
    connection.send(bytes, (status, text) => {
      const nowMs = performance.now()
      this.statuses[status] = (this.statuses[status] ?? 0) + 1
      if (status === 200) {
        this.#latencies.push(nowMs - fromMs)
        if (nowMs <= this.untilMs) this.#within++
        if (!text.includes(expected, 100)) this.#wrong++
      } else this.#countCode(text)
      then(nowMs, status)
    })
  }

  giveUp(): void {
    this.statuses[0] = (this.statuses[0] ?? 0) + 1
    this.#add('unsent')
  }

  #countCode(text: string): void {
    this.#add(/"code":"(\w+)"/.exec(text)?.[1] ?? (text === '' ? 'none' : `status ${text.slice(9, 12)}`))
  }

  #add(code: string): void {
    this.#codes[code] = (this.#codes[code] ?? 0) + 1
  }

  end(seconds: number): Tally {
    clearInterval(this.#watch)
    for (const connection of this.#connections) connection.close()
    const sorted = Float64Array.from(this.#latencies).sort()
    const lags = Float64Array.from(this.lags).sort()
    return {
      statuses: this.statuses,
      codes: this.#codes,
      answered: this.statuses[200] ?? 0,
      wrong: this.#wrong,
      perSecond: Math.round(this.#within / seconds),
      p50Ms: percentile(sorted, 0.5),
      p95Ms: percentile(sorted, 0.95),
      p99Ms: percentile(sorted, 0.99),
      maxMs: percentile(sorted, 1),
      ...(lags.length === 0 ? {} : { sentLateP99Ms: percentile(lags, 0.99) }),
    }
  }
}

async function runClosed(round: Round, concurrent: number): Promise<void> {
  const runOne = (): Promise<void> => {
    const connection = round.connect()
    const { promise, resolve } = Promise.withResolvers<void>()
    const go = (nowMs: number, status: number): void => {
      if (nowMs >= round.untilMs) resolve()
      else if (status === 0) setTimeout(() => go(performance.now(), 200), brokenPauseMs)
      else round.ask(connection, nowMs, go)
    }
    go(performance.now(), 200)
    return promise
  }
  await Promise.all(Array.from({ length: concurrent }, runOne))
}

async function runOpen(round: Round, perSecond: number, seconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const total = perSecond * seconds
  const free = Array.from({ length: 64 }, () => round.connect())
  const waiting = new Fifo<number>()
  const startMs = performance.now()
  let sent = 0
  let ended = 0
  const launch = (connection: Connection, dueMs: number): void =>
    round.ask(connection, dueMs, () => {
      if (++ended === total) return resolve()
      const next = nextWaiting()
      if (next !== undefined) launch(connection, next)
      else if (ended === total) resolve()
      else free.push(connection)
    })
  const nextWaiting = (): number | undefined => {
    for (let dueMs = waiting.shift(); dueMs !== undefined; dueMs = waiting.shift()) {
      if (performance.now() - dueMs < answerMaxMs) return dueMs
      round.giveUp()
      ended++
    }
    return undefined
  }
  const tick = (): void => {
    const nowMs = performance.now()
    for (let dueMs = dueAt(sent); sent < total && dueMs <= nowMs; dueMs = dueAt(++sent)) {
      round.lags.push(nowMs - dueMs)
      const connection = free.pop() ?? (round.connectionCount < connectionsMax ? round.connect() : undefined)
      if (connection === undefined) waiting.push(dueMs)
      else launch(connection, dueMs)
    }
    if (sent < total) setTimeout(tick, 1)
  }
  const dueAt = (n: number): number => startMs + (n * 1000) / perSecond
  tick()
  return promise
}
