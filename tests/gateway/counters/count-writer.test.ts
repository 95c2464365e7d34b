// Audit counts on their way: written once however often the answer is lost, and bounded while nobody takes them.
import { afterEach, describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { type CountBatch, CountWriter } from '#gateway/counters/count-writer.ts'
import { DayCounts, listCounts } from '#gateway/counters/day-counts.ts'
import { until } from '#tests/bus/until.ts'

const client = 'bank' as ClientId
const day = '2026-07-14'

describe('a count writer', () => {
  let writer: CountWriter | undefined
  afterEach(() => writer?.stop())

  test('hands the same batch over again until it is known to be written, and only then the next', async () => {
    const seen: CountBatch[] = []
    let failures = 2
    const write = async (batch: CountBatch): Promise<void> => {
      seen.push(batch)
      if (failures-- > 0) throw new Error('the answer was lost')
    }
    writer = new CountWriter({ write, everyMs: 60_000 })
    writer.add(day, client, 'x/y', 'answered')
    await expect(writer.flush()).rejects.toThrow('lost')
    writer.add(day, client, 'x/y', 'answered')
    await expect(writer.flush()).rejects.toThrow('lost')
    await writer.flush()
    const name = JSON.stringify([client, 'x/y', 'answered'])
    const first = { number: 1, day, counts: [[name, 1]] }
    expect(seen).toEqual([first, first, first, { number: 2, day, counts: [[name, 1]] }])
    expect(writer.pending).toBe(0)
  })

  test('writes by itself, a day and at most 500 names at a time', async () => {
    const sizes: [string, number][] = []
    writer = new CountWriter({ everyMs: 5, write: async batch => void sizes.push([batch.day, batch.counts.length]) })
    for (let i = 0; i < 501; i += 1) writer.add(day, client, `x/${i}`, 'answered')
    writer.add('2026-07-15', client, 'x/y', 'answered')
    await until('all is written', () => sizes.length === 3)
    expect(sizes).toEqual([
      [day, 500],
      [day, 1],
      ['2026-07-15', 1],
    ])
  })

  test('includes in a flush what is counted while one is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const written: CountBatch[] = []
    writer = new CountWriter({
      everyMs: 60_000,
      write: async batch => {
        await promise
        written.push(batch)
      },
    })
    writer.add(day, client, 'x/y', 'answered')
    const first = writer.flush()
    writer.add(day, client, 'x/y', 'answered')
    const second = writer.flush()
    resolve()
    await Promise.all([first, second])
    expect(written.map(batch => batch.number)).toEqual([1, 2])
  })
})

describe('day counts', () => {
  test('past their bound count new names together, so the sum stays true', () => {
    const counts = new DayCounts(2)
    for (const outcome of ['a', 'b', 'c', 'd', 'a']) counts.add(day, client, 'x/y', outcome)
    expect(listCounts(counts.of(day))).toEqual([
      { client: '-', service: '-', outcome: 'uncounted', count: 2 },
      { client, service: 'x/y', outcome: 'a', count: 2 },
      { client, service: 'x/y', outcome: 'b', count: 1 },
    ])
  })
})
