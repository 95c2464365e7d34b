// Mixed load in a process of its own: many clients, many services, some of it to be refused, a closed loop at one concurrency.
// Every answer is compared with what the mix expects and counted by client, service and outcome. Holds counters and histograms
// only, so it may run for as long as there are exchanges.
import { setTimeout as pass } from 'node:timers/promises'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { type Count, type Outcome, outcomeOf } from './books.ts'
import { Connection } from './connection.ts'
import { Histogram } from './histogram.ts'
import { type Asked, createMix, type Mix } from './mix.ts'
import { type FromGenerator, type Latencies, type MixAssignment, type MixTally, type ToGenerator } from './mix-load.ts'

const progressEveryMs = 1000
const expireEveryMs = 500
const brokenPauseMs = 50
const unexpectedMax = 100
const say = (message: FromGenerator): void => void process.send?.(message)
const nation = createNation({ seed: 1 })
/** One at a time, since the bench awaits its end. */
let round: Round | undefined

process.on('message', (message: ToGenerator) => {
  if (message.is === 'tokens') return round?.renew(message.tokens)
  round = new Round(message.assignment)
  void round.run().then(tally => say({ is: 'end', tally }))
})
process.on('disconnect', () => process.exit())
say({ is: 'ready' })

class Round {
  readonly #assignment: MixAssignment
  readonly #mix: Mix
  readonly #counts = new Map<string, Count>()
  readonly #latencies = new Histogram()
  readonly #byService = new Map<string, Histogram>()
  readonly #refusals = new Histogram()
  readonly #unexpected: Record<string, number> = {}
  readonly #heads = new Map<string, string>()
  #tokens: MixAssignment['tokens']
  #next: number
  #done = 0
  #lastMs = 0

  constructor(assignment: MixAssignment) {
    const { contractsDir, seed, tokens, first, only } = assignment
    const registry = loadRegistry({ directory: contractsDir, idScheme: 'simulated' })
    const clients = Object.keys(tokens)
    const today = new Date().toISOString().slice(0, 10)
    this.#mix = createMix({ registry, nation, seed, today, clients, ...(only === undefined ? {} : { only }) })
    this.#assignment = assignment
    this.#tokens = tokens
    this.#next = first
  }

  renew(tokens: MixAssignment['tokens']): void {
    this.#tokens = tokens
    this.#heads.clear()
  }

  async run(): Promise<MixTally> {
    const { urls, concurrent, exchanges, first, seconds, rampSeconds = 0 } = this.#assignment
    const [startMs, end] = [performance.now(), first + exchanges]
    const untilMs = startMs + (seconds ?? Number.POSITIVE_INFINITY) * 1000
    const connections = Array.from({ length: concurrent }, (_, i) => new Connection(urls[i % urls.length] as string))
    const timers = [
      setInterval(() => {
        for (const connection of connections) connection.expire(performance.now())
      }, expireEveryMs),
      setInterval(() => say({ is: 'progress', done: this.#done }), progressEveryMs),
    ]
    const isOver = (nowMs: number): boolean => this.#next >= end || nowMs >= untilMs
    const stepMs = (rampSeconds * 1000) / concurrent
    const starts = connections.map(async (connection, i) => {
      if (stepMs > 0) await pass(i * stepMs)
      await this.#askOnAndOn(connection, isOver)
    })
    await Promise.all(starts)
    for (const timer of timers) clearInterval(timer)
    for (const connection of connections) connection.close()
    return this.#tally(Math.max(1, this.#lastMs - startMs))
  }

  #askOnAndOn(connection: Connection, isOver: (nowMs: number) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const go = (nowMs: number): void => {
      if (isOver(nowMs)) return void resolve()
      const asked = this.#mix.ask(this.#next++)
      connection.send(this.#bytesOf(asked), (status, text) => {
        const endMs = performance.now()
        this.#lastMs = endMs
        this.#take(asked, status, text, endMs - nowMs)
        if (status === 0) setTimeout(() => go(performance.now()), brokenPauseMs)
        else go(endMs)
      })
    }
    go(performance.now())
    return promise
  }

  #bytesOf({ client, path, isAsync, body }: Asked): Buffer {
    const name = isAsync ? `${client} ${path} async` : `${client} ${path}`
    let head = this.#heads.get(name)
    if (head === undefined) {
      const prefer = isAsync ? 'prefer: respond-async\r\n' : ''
      head = `POST ${path} HTTP/1.1\r\nhost: ndx\r\nauthorization: Bearer ${this.#tokens[client]}\r\n${prefer}content-type: application/json\r\ncontent-length: `
      this.#heads.set(name, head)
    }
    return Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #take(asked: Asked, status: number, text: string, tookMs: number): void {
    const code = status === 200 || status === 202 ? '' : codeOf(text)
    const outcome = outcomeOf(status, code)
    this.#count(asked, outcome, code)
    this.#done++
    if (outcome === 'answered') this.#timeAnswer(asked.service, tookMs)
    else if (outcome === 'refused') this.#refusals.record(tookMs)
    const isRight = status === asked.status && text.includes(asked.holds)
    if (!isRight && !asked.or.includes(code)) this.#remember(asked, `${status} ${code}`.trim())
  }

  #count({ client, service }: Asked, outcome: Outcome, code: string): void {
    const name = `${client} ${service} ${outcome} ${code}`
    const found = this.#counts.get(name)
    if (found === undefined) this.#counts.set(name, { client, service, outcome, code, count: 1 })
    else found.count++
  }

  #timeAnswer(service: string, tookMs: number): void {
    this.#latencies.record(tookMs)
    let histogram = this.#byService.get(service)
    if (histogram === undefined) {
      histogram = new Histogram()
      this.#byService.set(service, histogram)
    }
    histogram.record(tookMs)
  }

  #remember({ client, service, status, holds }: Asked, got: string): void {
    const what = `${client} × ${service || 'no such service'}: ${got} instead of ${status} with ${holds}`
    const known = this.#unexpected[what]
    if (known === undefined && Object.keys(this.#unexpected).length >= unexpectedMax) return
    this.#unexpected[what] = (known ?? 0) + 1
  }

  #tally(tookMs: number): MixTally {
    return {
      counts: [...this.#counts.values()],
      asked: this.#done,
      tookMs,
      latencies: latenciesOf(this.#latencies),
      byService: Object.fromEntries(Array.from(this.#byService, ([id, one]) => [id, latenciesOf(one)])),
      refusals: latenciesOf(this.#refusals),
      unexpected: this.#unexpected,
    }
  }
}

const codeOf = (text: string): string => /"code":"(\w+)"/.exec(text)?.[1] ?? 'none'

const latenciesOf = (histogram: Histogram): Latencies => ({
  count: histogram.count,
  p50Ms: histogram.percentile(0.5),
  p95Ms: histogram.percentile(0.95),
  p99Ms: histogram.percentile(0.99),
  maxMs: histogram.percentile(1),
})
