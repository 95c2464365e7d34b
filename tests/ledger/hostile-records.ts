// Records that nobody of ours would write, for every kind of topic: bytes, JSON of any depth and shape, and records of ours in which
// something was exchanged, lost or blown up. The same for the same seed. What must never show in the log stands in all of them.
import { type IncomingRecord } from '#bus/bus.ts'
import { writeDeadLetter, writeReplayStep } from '#bus/dead-letter.ts'
import { type ExchangeId } from '#bus/message.ts'
import { deadLetterTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

/** A name and a number, as a careless record would hold them. */
export const secret = 'Bí Mật 026701599619'

const population = 'population' as ProviderId
const exchanges = 40
const pieces: readonly unknown[] = [
  secret,
  '',
  'a'.repeat(20_000),
  null,
  true,
  -1,
  1e308,
  [secret],
  { [secret]: secret },
  [[[{ fullName: secret }]]],
  '__proto__',
  '\u0000\ud800',
  'ndx.request.population.identity-verification.v1',
]

/** Whole numbers below `max`. */
type Draw = (max: number) => number

/** mulberry32 */
function createDraw(seed: number): Draw {
  let state = seed >>> 0
  return max => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * max)
  }
}

export function* hostileRecords(seed: number): Generator<IncomingRecord> {
  const draw = createDraw(seed)
  const records = new Records()
  let sheet = 0
  const makers = [
    () => records.request(draw(exchanges), { callback: draw(2) === 0 }),
    () => records.reply(draw(exchanges), {}, draw(8)),
    () => records.sheet(sheet++, [{ exchange: draw(exchanges), kind: 'delivered', facts: { client: 'bank' } }]),
    () => records.note(draw(exchanges), 'deferred', { provider: 'population' }),
    () => letterOf(records, draw),
    () => stepOf(records, draw),
  ]
  for (;;) {
    const make = makers[draw(makers.length)] as () => IncomingRecord
    const record = make()
    const kind = draw(10)
    if (kind < 2) yield record
    else if (kind < 7) yield { ...record, value: Buffer.from(distorted(record.value.toString(), draw)) }
    else if (kind === 7) yield { ...record, value: damaged(record.value, draw) }
    else if (kind === 8) yield { ...record, headers: distortedHeaders(record.headers, draw) }
    else yield { ...record, value: anyBytes(draw) }
  }
}

function letterOf(records: Records, draw: Draw): IncomingRecord {
  const { headers, value } = writeDeadLetter(
    {
      id: `population-${draw(6)}-${draw(1000)}`,
      exchangeId: exchangeIdOf(draw(exchanges)),
      provider: population,
      topic: requestTopic(population),
      partition: draw(6),
      offset: String(draw(1000)),
      attempts: draw(9),
      code: 'HANDLER_FAILED',
      firstMs: someMs,
      lastMs: someMs,
    },
    '/adapter/population/a1',
  )
  return records.any(deadLetterTopic, 0, value, headers)
}

function stepOf(records: Records, draw: Draw): IncomingRecord {
  const step = {
    step: 'proposed',
    letterId: 'population-1-2',
    operator: 'lan',
    signedMs: someMs,
    signature: 'x',
  } as const
  const { headers, value } = writeReplayStep(step, exchangeIdOf(draw(exchanges)) as ExchangeId)
  return records.any(deadLetterTopic, 0, value, headers)
}

/** One member, wherever it is, is another thing, is gone, or comes twice. */
function distorted(text: string, draw: Draw): string {
  const root = JSON.parse(text) as object
  const places: [holder: Record<string, unknown>, name: string][] = []
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const name of Object.keys(value)) {
      places.push([value as Record<string, unknown>, name])
      walk((value as Record<string, unknown>)[name])
    }
  }
  walk(root)
  const [holder, name] = places[draw(places.length)] as (typeof places)[number]
  const how = draw(5)
  if (how === 0) delete holder[name]
  else if (how === 1) return text.replace(`"${name}":`, `"${name}":${'['.repeat(5_000)}${']'.repeat(5_000)},"${name}":`)
  else if (how === 2) holder[secret] = secret
  else holder[name] = pieces[draw(pieces.length)]
  return JSON.stringify(root)
}

function damaged(value: Buffer, draw: Draw): Buffer {
  const bytes = Buffer.from(value)
  for (let i = 0; i <= draw(4); i++) bytes[draw(bytes.length)] = draw(256)
  return draw(3) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes
}

function distortedHeaders(headers: Readonly<Record<string, string>>, draw: Draw): Record<string, string> {
  const names = Object.keys(headers)
  const name = names[draw(names.length)] ?? 'kafka_correlationId'
  const value = [secret, '', 'x'.repeat(100_000), exchangeIdOf(draw(exchanges)), '7', '-1'][draw(6)] as string
  return { ...headers, [name]: value }
}

function anyBytes(draw: Draw): Buffer {
  const how = draw(4)
  if (how === 0) return Buffer.from(Array.from({ length: draw(200) }, () => draw(256)))
  if (how === 1) return Buffer.from('['.repeat(draw(50_000)))
  if (how === 2) return Buffer.from(`{"specversion":"1.0","data":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`)
  return Buffer.from(JSON.stringify(pieces[draw(pieces.length)]))
}

/** Every topic that the ledger reads. */
export const kindsOfTopics = [requestTopic(population), replyTopic(population), noteTopic, deadLetterTopic]
