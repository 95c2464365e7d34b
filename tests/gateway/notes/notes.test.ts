// What a gateway notes reaches the broker once, under its number, whatever is away or dies meanwhile.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { answer, exchangeOf, NotesHarness, refusal, upTo } from './notes-harness.ts'

let harness: NotesHarness
beforeEach(() => {
  harness = new NotesHarness()
})
afterEach(() => harness.remove())

const files = (): string[] => readdirSync(harness.directory, { recursive: true }) as string[]
const bytesOnDisk = (): number =>
  files()
    .filter(name => name.endsWith('.notes'))
    .reduce((sum, name) => sum + statSync(join(harness.directory, name)).size, 0)

test('is on disk when the promise resolves, all of a turn with one write, under numbers from 0', async () => {
  harness.isAway = true
  const notes = harness.start({ run: 'run000' })
  expect(await Promise.all(upTo(3).map(n => notes.note(refusal(n))))).toEqual([true, true, true])
  const text = readFileSync(join(harness.directory, 'gw~run000/0.notes'), 'utf8')
  expect(text.split('\n').map(line => line.split(' ')[1])).toEqual(['0', '1', '2', undefined])
  expect(text).toContain(exchangeOf(2))
})

test('a broker that is away gets all of them when it is back, in large sheets', async () => {
  harness.isAway = true
  const notes = harness.start({ run: 'run000' })
  for (const n of upTo(1_667)) await notes.note(refusal(n))
  await until('it was tried', () => harness.rejections > 0)
  expect(notes.waiting.notes).toBe(1_667)
  harness.isAway = false
  await until('all are there', () => notes.waiting.notes === 0)
  expect(harness.of('run000').notes.map(({ exchangeId }) => exchangeId)).toEqual(upTo(1_667).map(exchangeOf))
  expect(harness.sheets).toBeLessThan(10)
})

test('one that acknowledged and was not heard gets the same sheet again', async () => {
  let isDeaf = true
  const notes = harness.start({
    run: 'run000',
    publish: async record => {
      await harness.publish(record)
      if (isDeaf) throw new Error('not heard')
    },
  })
  await notes.note(refusal(0))
  await until('it was sent twice', () => harness.sheets > 1)
  isDeaf = false
  await notes.stop()
  expect(harness.of('run000')).toMatchObject({ notes: [{ exchangeId: exchangeOf(0) }], ends: 1, end: 1 })
})

test('a clean stop sends what there is, tells the end, and leaves nothing', async () => {
  const notes = harness.start({ run: 'run000', lingerMs: 3_600_000 })
  for (const n of upTo(5)) void notes.note(refusal(n))
  notes.refuse('NDX_ROUTE_UNKNOWN')
  await notes.stop()
  expect(harness.of('run000')).toMatchObject({ ends: 1, end: 6 })
  expect(harness.of('run000').notes).toHaveLength(6)
  expect(files()).toEqual([])
  expect(await notes.note(answer(9))).toBe(false)
})

test('a run that noted nothing is known to nobody', async () => {
  await harness.start({ run: 'run000' }).stop()
  harness.start({ run: 'run001' }).kill()
  harness.start({ run: 'run002' })
  await until('the left run is gone', () => harness.leftRuns.length > 0)
  expect([...harness.runs]).toEqual([])
})

describe('a gateway that was killed', () => {
  test('loses nothing: the next one sends it under the old source and numbers, before its own, and closes it', async () => {
    harness.isAway = true
    const killed = harness.start({ run: 'run000', instance: 'gw-a' })
    for (const n of upTo(1_234)) await killed.note(n % 2 === 0 ? refusal(n) : answer(n))
    killed.kill()
    const next = harness.start({ run: 'run001' })
    await next.note(refusal(5_000))
    harness.isAway = false
    await until('all are there', () => next.waiting.notes === 0)
    expect([...harness.runs.keys()]).toEqual(['/gateway/gw-a/run000', '/gateway/gw/run001'])
    expect(harness.of('run000', 'gw-a')).toMatchObject({ ends: 1, end: 1_234 })
    expect(harness.of('run000', 'gw-a').notes.map(({ exchangeId }) => exchangeId)).toEqual(upTo(1_234).map(exchangeOf))
    expect(harness.leftRuns).toEqual([{ source: '/gateway/gw-a/run000', notes: 1_234, error: undefined }])
    expect(readdirSync(harness.directory)).toEqual(['gw~run001'])
  })

  test('is left alone while it lives, by one on the same folder', async () => {
    harness.isAway = true
    const one = harness.start({ run: 'run000' })
    await one.note(refusal(0))
    const other = harness.start({ run: 'run001' })
    await other.note(refusal(1))
    harness.isAway = false
    await Promise.all([one.stop(), other.stop()])
    expect(harness.leftRuns).toEqual([])
    expect([harness.of('run000').end, harness.of('run001').end]).toEqual([1, 1])
    expect(files()).toEqual([])
  })

  test('and whose heir is killed too is sent by the third, each note once', async () => {
    harness.isAway = true
    const killed = harness.start({ run: 'run000' })
    for (const n of upTo(700)) await killed.note(refusal(n))
    for (const _ of upTo(40)) await killed.refuse('NDX_TOKEN_MISSING').written
    killed.kill()
    let left = 1
    const heir = harness.start({
      run: 'run001',
      publish: async record => {
        if (left-- <= 0) throw new Error('away again')
        harness.isAway = false
        await harness.publish(record)
      },
    })
    await until('a part is there', () => harness.of('run000').notes.length > 0 && left < 0)
    heir.kill()
    const third = harness.start({ run: 'run002' })
    await until('it is closed', () => harness.of('run000').ends === 1)
    const { notes } = harness.of('run000')
    expect(notes.slice(0, 700).map(({ exchangeId }) => exchangeId)).toEqual(upTo(700).map(exchangeOf))
    expect(notes.slice(700)).toMatchObject([{ kind: 'unidentified', facts: { code: 'NDX_TOKEN_MISSING', count: 40 } }])
    await third.stop()
  })
})

describe('refusals without an identified client', () => {
  test('are one note a second and code, with exact counts', async () => {
    const notes = harness.start({ run: 'run000' })
    const nths = upTo(3_000).map(() => notes.refuse('NDX_ROUTE_UNKNOWN').nth)
    for (const _ of upTo(7)) notes.refuse('NDX_TOKEN_MISSING')
    expect(nths).toEqual(upTo(3_000).map(n => n + 1))
    harness.nowMs += 1_000
    notes.refuse('NDX_ROUTE_UNKNOWN')
    await notes.stop()
    const at = harness.nowMs
    expect(harness.of('run000').notes).toEqual([
      { kind: 'unidentified', exchangeId: '', notedMs: at - 1_000, facts: { code: 'NDX_ROUTE_UNKNOWN', count: 3_000 } },
      { kind: 'unidentified', exchangeId: '', notedMs: at - 1_000, facts: { code: 'NDX_TOKEN_MISSING', count: 7 } },
      { kind: 'unidentified', exchangeId: '', notedMs: at, facts: { code: 'NDX_ROUTE_UNKNOWN', count: 1 } },
    ])
    expect(harness.tallies).toHaveLength(3)
  })

  test('are counted to the last one that was answered, when the gateway is killed in the middle of a second', async () => {
    const killed = harness.start({ run: 'run000' })
    for (const _ of upTo(123)) await killed.refuse('NDX_ROUTE_UNKNOWN').written
    harness.nowMs += 1_000
    for (const _ of upTo(45)) await killed.refuse('NDX_ROUTE_UNKNOWN').written
    await killed.refuse('NDX_TOKEN_MISSING').written
    killed.kill()
    await harness.start({ run: 'run001' }).stop()
    expect(harness.of('run000').notes.map(({ facts }) => [facts['code'], facts['count']])).toEqual([
      ['NDX_ROUTE_UNKNOWN', 123],
      ['NDX_ROUTE_UNKNOWN', 45],
      ['NDX_TOKEN_MISSING', 1],
    ])
  })

  test('are counted when their segment is deleted while the second goes on', async () => {
    const killed = harness.start({ run: 'run000', bytesMax: 64 * 1024 })
    for (const _ of upTo(10)) await killed.refuse('NDX_ROUTE_UNKNOWN').written
    for (const n of upTo(200)) {
      await killed.note(refusal(n))
      if (n % 20 === 0) await until('it is acknowledged', () => killed.waiting.notes === 0)
    }
    await until('the first segment is deleted', () => !files().includes('gw~run000/0.notes'))
    killed.kill()
    await harness.start({ run: 'run001' }).stop()
    expect(harness.of('run000').notes.at(-1)).toMatchObject({ facts: { code: 'NDX_ROUTE_UNKNOWN', count: 10 } })
  })
})

describe('what is kept', () => {
  test('is deleted once the broker has it', async () => {
    const notes = harness.start({ run: 'run000', bytesMax: 256 * 1024 })
    for (const n of upTo(3_000)) {
      await notes.note(refusal(n))
      if (n % 100 === 0) await until('there is room', () => notes.waiting.notes < 100)
    }
    expect(harness.lost).toBe(0)
    await until('all are there', () => notes.waiting.notes === 0)
    expect(bytesOnDisk()).toBeLessThan(64 * 1024)
    expect(harness.of('run000').notes).toHaveLength(3_000)
  })

  test('is bounded: one past it an answer is not given, and a refusal is missing under its number', async () => {
    harness.isAway = true
    const notes = harness.start({ run: 'run000', bytesMax: 16 * 1024 })
    let kept = 0
    while (await notes.note(answer(kept))) kept++
    expect([notes.isKept, harness.lost]).toEqual([false, 0])
    expect(await notes.note(refusal(9_000))).toBe(false)
    expect(harness.lost).toBe(1)
    harness.isAway = false
    await until('there is room', () => notes.isKept)
    expect(await notes.note(answer(9_001))).toBe(true)
    await notes.stop()
    const run = harness.of('run000')
    expect([run.end, run.notes[kept], run.notes[kept + 1]?.exchangeId]).toEqual([
      kept + 2,
      undefined,
      exchangeOf(9_001),
    ])
    expect(bytesOnDisk()).toBe(0)
  })
})

describe('a disk that takes nothing', () => {
  test('keeps answers back, sends refusals from memory, and is tried again', async () => {
    const notes = harness.start({ run: 'run000', bytesMax: 16 * 1024 })
    harness.isAway = true
    // The next segment cannot be made.
    rmSync(join(harness.directory, 'gw~run000'), { recursive: true })
    let kept = 0
    while (await notes.note(answer(kept))) kept++
    expect([notes.isKept, harness.faults.length]).toEqual([false, 1])
    expect(await notes.note(refusal(8_000))).toBe(false)
    harness.isAway = false
    await until('the refusal is there', () => harness.of('run000').notes[kept]?.exchangeId === exchangeOf(8_000))
    mkdirSync(join(harness.directory, 'gw~run000'))
    await until('it is taken again', () => notes.isKept)
    expect(harness.faults.at(-1)).toBeUndefined()
    expect(await notes.note(answer(8_001))).toBe(true)
    await notes.stop()
    expect(
      harness
        .of('run000')
        .notes.map(({ exchangeId }) => exchangeId)
        .slice(kept),
    ).toEqual([8_000, 8_001].map(exchangeOf))
  })

  test('keeps a gateway from starting', () => {
    writeFileSync(join(harness.directory, 'file'), '')
    expect(() => harness.start({ run: 'run000', directory: join(harness.directory, 'file/notes') })).toThrow('ENOTDIR')
  })
})
