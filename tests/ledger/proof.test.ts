// Exports: what is right is found right, what is wrong is found, named and explained.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { parseNote, signNote } from '#ledger/notes/note.ts'
import { readEntry } from '#ledger/proof/entry.ts'
import { writeExport } from '#ledger/proof/export.ts'
import { type ExportPolicy, verifyExport } from '#ledger/proof/export-verification.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-proof-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = makeNoteKey(join(folder, 'log'), 'log.example')
const impostor = makeNoteKey(join(folder, 'impostor'), 'log.example')
const [w1, w2, w3] = ['w1', 'w2', 'w3'].map(name => makeNoteKey(join(folder, name), `${name}.example`, 'witness')) as [
  typeof key,
  typeof key,
  typeof key,
]
const policy: ExportPolicy = { logKey: key.verifier }
const log = createFilledLog(key, 50, 8, [w1, w2])

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1)
const verifyText = (text: string, more: Partial<ExportPolicy> = {}) =>
  verifyExport(linesOf(text), { ...policy, ...more })

describe('an export', () => {
  test('of the whole log is as its log signed it', async () => {
    expect(await verifyText(log.exported())).toEqual({
      ok: true,
      why: '',
      entries: 50,
      from: 0,
      size: 50,
      checkpoints: 7,
      cosignedBy: [],
      line: 4 + 50 + 7,
    })
  })

  test('from any entry on is, too', async () => {
    for (let from = 0; from <= 50; from++) {
      const verdict = await verifyText(log.exported(from))
      expect(verdict).toMatchObject({ ok: true, from, entries: 50 - from, size: 50 })
    }
    expect(() => log.exported(51)).toThrow(RangeError)
  })

  test('has the form that is written down', () => {
    const small = createLog(key)
    small.add(eventOf(0))
    const note = small.seal()
    expect(small.exported()).toBe(
      `ndx-export/v1\norigin log.example\nfrom 0\nleft\n0 ${small.rootAt(1).toString('base64')} ${eventOf(0)}\ncheckpoint ${JSON.stringify(note)}\n`,
    )
  })

  test('leaves out what no checkpoint covers yet', async () => {
    const growing = createFilledLog(key, 10, 5)
    growing.add(eventOf(10))
    expect(await verifyText(growing.exported())).toMatchObject({ ok: true, entries: 10 })
  })

  test('is written as it is read, and lets go of its source when it is given up', () => {
    let read = 0
    let isOpen = true
    const entries = function* () {
      try {
        for (const entry of log.list) {
          read++
          yield entry
        }
      } finally {
        isOpen = false
      }
    }
    for (const line of writeExport({ ...log, origin: log.origin, nodes: log.nodes, entries })) {
      if (line.startsWith('3 ')) break
    }
    expect([read, isOpen]).toEqual([4, false])
  })

  test('is not written past a gap', () => {
    const torn = { ...log, origin: log.origin, nodes: log.nodes, entries: () => log.list.slice(0, 7) }
    expect(() => [...writeExport(torn)]).toThrow(/entry 7 is missing, which a checkpoint of 8 covers/)
  })

  test('of an empty log is right when its head is signed, and nothing without', async () => {
    const empty = createLog(key)
    expect(await verifyText(empty.exported())).toMatchObject({
      ok: false,
      why: expect.stringMatching(/ends before the checkpoint/),
    })
    empty.seal()
    expect(await verifyText(empty.exported())).toMatchObject({ ok: true, entries: 0, size: 0 })
  })
})

describe('witnesses', () => {
  const witnessKeys = [w1, w2, w3].map(({ verifier }) => verifier)

  test('are counted, each once', async () => {
    const verdict = await verifyText(log.exported(), { witnessKeys: [...witnessKeys, w1.verifier], witnessesMin: 2 })
    expect(verdict).toMatchObject({ ok: true, cosignedBy: ['w1.example', 'w2.example'] })
  })

  test('too few are a fault', async () => {
    expect(await verifyText(log.exported(), { witnessKeys, witnessesMin: 3 })).toMatchObject({
      ok: false,
      why: '2 of the known witnesses cosigned the checkpoint of 50, not 3',
    })
  })

  test('on a checkpoint from elsewhere of the same size count as well', async () => {
    const note = log.seal(50, [w3])
    const before = createFilledLog(key, 50, 8, [w1, w2])
    const verdict = await verifyText(before.exported(), { witnessKeys, witnessesMin: 3, checkpoint: note })
    expect(verdict).toMatchObject({ ok: true, cosignedBy: ['w1.example', 'w2.example', 'w3.example'] })
  })
})

describe('a checkpoint from elsewhere', () => {
  const whole = createFilledLog(key, 40, 5)
  const noteAt = (size: number): string => [...whole.checkpoints(size)][0]!.note

  test('finds a cut end, and names the first entry that is missing', async () => {
    const cut = createFilledLog(key, 30, 5).exported()
    expect(await verifyText(cut)).toMatchObject({ ok: true, size: 30 })
    expect(await verifyText(cut, { checkpoint: noteAt(40) })).toMatchObject({
      ok: false,
      firstBad: 30,
      why: 'the checkpoint given covers 40 entries; the export ends after 30',
    })
  })

  test('of any size within is compared', async () => {
    for (const size of [5, 20, 40])
      expect(await verifyText(whole.exported(), { checkpoint: noteAt(size) })).toMatchObject({ ok: true })
    expect(await verifyText(whole.exported(20), { checkpoint: noteAt(20) })).toMatchObject({ ok: true })
    expect(await verifyText(whole.exported(20), { checkpoint: noteAt(10) })).toMatchObject({
      ok: false,
      why: 'the checkpoint given covers 10 entries; the export begins after 20',
    })
  })

  test('finds a past that was written anew and signed again', async () => {
    const other = createLog(key)
    for (let index = 0; index < 40; index++) {
      other.add(eventOf(index, index === 12 ? { client: 'tax-office' } : {}))
      if (other.size % 5 === 0) other.seal()
    }
    expect(await verifyText(other.exported())).toMatchObject({ ok: true })
    expect(await verifyText(other.exported(), { checkpoint: noteAt(20) })).toMatchObject({
      ok: false,
      firstBad: 15,
      lastBad: 19,
      why: 'the checkpoint given has another root than its entries',
    })
  })

  test('that the log’s key did not sign is not believed', async () => {
    const verdict = await verifyText(whole.exported(), { checkpoint: signNote(parseNote(noteAt(40)).text, impostor) })
    expect(verdict).toMatchObject({
      ok: false,
      why: expect.stringMatching(/^the checkpoint given: a signature|^the checkpoint given: no known key/),
    })
  })
})

describe('what only the checkpoints can find', () => {
  test('an entry altered with its hash is narrowed to those since the checkpoint before', async () => {
    const forged = createLog(key)
    for (let index = 0; index < 24; index++) forged.add(eventOf(index, index === 13 ? { client: 'tax-office' } : {}))
    const right = linesOf(createFilledLog(key, 24, 8).exported())
    const wrong = linesOf(
      [
        ...writeExport({
          ...forged,
          origin: forged.origin,
          nodes: forged.nodes,
          checkpoints: () => [{ size: 24, note: '' }],
        }),
      ].join(''),
    )
    const at = right.findIndex(line => line.startsWith('13 '))
    const altered = right.with(at, wrong.find(line => line.startsWith('13 '))!)
    expect(await verifyExport(altered, policy)).toMatchObject({
      ok: false,
      firstBad: 8,
      lastBad: 15,
      why: 'the signed checkpoint of 16 has another root than its entries',
    })
  })

  test('the hashes of what is before it cannot be altered either', async () => {
    const from13 = linesOf(log.exported(13))
    const left = from13[3]!.split(' ')
    const swapped = from13.with(3, [left[0], left[2], left[1], ...left.slice(3)].join(' '))
    expect(await verifyExport(swapped, policy)).toMatchObject({
      ok: false,
      firstBad: 13,
      lastBad: 15,
      why: expect.stringMatching(/or than the hashes of those before the export$/),
    })
  })

  test('an event in another form than the one that is hashed is no entry, though it is signed', async () => {
    const form = 'its JSON is not in the one form of an entry'
    const list = 'it is not a list of events of one exchange'
    for (const [entry, why] of [
      [eventOf(1).replace('{', '{ '), form],
      [eventOf(1).replace('"at":', '"at":0,"at":'), form],
      [eventOf(1).replace('"v":2', '"v":3'), list],
      [eventOf(1).replace(/"at":\d+/, '"at":1.5'), list],
      [eventOf(1).replace('"kind":"answered"', '"kind":1'), list],
      [eventOf(1).replace('"client":"bank"', '"client":{"name":"bank"}'), list],
      [eventOf(1).replace('"client":"bank"', '"client":null'), list],
      [eventOf(1).replace(/\[\{.*\}\]/, '[]'), list],
      ['[]', list],
      ['', list],
    ] as const) {
      const odd = createLog(key)
      for (const line of [eventOf(0), entry, eventOf(2)]) odd.add(line)
      odd.seal()
      const verdict = await verifyText(odd.exported())
      expect(verdict).toMatchObject({ ok: false, firstBad: 1, line: 6 })
      expect(verdict.why).toContain(`entry 1 is no entry: ${why}`)
    }
  })

  test('an event is read from its own form', () => {
    const { events, exchange } = JSON.parse(eventOf(4))
    expect(readEntry(eventOf(4))).toEqual({ events: [{ ...events[0], exchange }] })
  })
})

test('what a log says is missing is told, though all of it is as it was signed', async () => {
  const log = createLog(key)
  log.add(eventOf(0))
  const gap = {
    kind: 'gap',
    exchange: '',
    of: 'records',
    topic: 'ndx.note',
    partition: 1,
    from: 4,
    to: 9,
    reason: 'removed',
  }
  log.add(eventOf(1, gap as never))
  log.seal()
  expect(await verifyText(log.exported())).toMatchObject({
    ok: true,
    missing: ['entry 1: 4 to 9 of ndx.note/1 (removed)'],
  })
})

describe('another log', () => {
  test('of the same name and another key is not believed', async () => {
    const verdict = await verifyText(createFilledLog(impostor, 8, 8).exported())
    expect(verdict).toMatchObject({
      ok: false,
      why: 'the checkpoint after 8 entries: no known key of log.example signed it',
    })
  })

  test('of another name is not looked at', async () => {
    const other = makeNoteKey(join(folder, 'other'), 'other.example')
    expect(await verifyText(createFilledLog(other, 8, 8).exported())).toMatchObject({
      ok: false,
      why: 'the key is of log.example; the export says "origin other.example"',
      line: 2,
    })
  })
})
