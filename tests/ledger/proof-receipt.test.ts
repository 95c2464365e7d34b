// Receipts: the events of one exchange, proven, and every way in which they are not.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { decodeEntry } from '#ledger/event.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { verifyReceipt, writeReceipt } from '#ledger/proof/receipt.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-receipt-'))
afterAll(() => rmSync(folder, { recursive: true }))
const key = makeNoteKey(join(folder, 'log'), 'log.example')
const [w1, w2, w3] = ['w1', 'w2', 'w3'].map(name => makeNoteKey(join(folder, name), `${name}.example`, 'witness')) as [
  typeof key,
  typeof key,
  typeof key,
]
const log = createFilledLog(key, 50, 8, [w1, w2])

describe('a receipt', () => {
  const exchange = '0198c2f0-0000-7000-8000-000000000004'
  const entries = [12, 13, 14].map(index => ({ index, entry: log.list[index]! }))
  const note = [...log.checkpoints(50)][0]!.note
  const parts = { origin: log.origin, exchange, entries, note, size: 50, nodes: log.nodes }
  const receipt = writeReceipt(parts)
  const trusted = { logKey: key.verifier, witnessKeys: [w1.verifier, w2.verifier], witnessesMin: 2 }

  test('proves the events of its exchange', () => {
    expect(verifyReceipt(receipt, trusted)).toEqual({
      ok: true,
      why: '',
      exchange,
      size: 50,
      events: entries.map(({ index, entry }) => ({ index, event: decodeEntry(entry)?.[0] })),
      cosignedBy: ['w1.example', 'w2.example'],
    })
    expect(verifyReceipt(receipt, { logKey: key.verifier })).toMatchObject({ ok: true, cosignedBy: [] })
  })

  test('has the form that is written down', () => {
    const small = createLog(key)
    small.add(eventOf(0))
    const head = small.seal()
    const text = writeReceipt({
      ...parts,
      exchange: 'x',
      entries: [{ index: 0, entry: eventOf(0) }],
      note: head,
      size: 1,
      nodes: small.nodes,
    })
    expect(text).toBe(`ndx-receipt/v1\norigin log.example\nexchange x\nevent 0 ${eventOf(0)}\npath\n\n${head}`)
  })

  test('with any one character changed proves nothing', () => {
    for (let at = 0; at < receipt.length; at++) {
      const was = receipt[at]!
      const changed = receipt.slice(0, at) + (was === 'A' ? 'B' : 'A') + receipt.slice(at + 1)
      const verdict = verifyReceipt(changed, trusted)
      if (verdict.ok) expect.fail(`character ${at} (${was}) changed`)
    }
  })

  test('cut anywhere proves nothing', () => {
    for (let end = 0; end < receipt.length; end++)
      if (verifyReceipt(receipt.slice(0, end), trusted).ok) expect.fail(`cut at ${end}`)
  })

  test.each<[string, string, RegExp]>([
    [
      'of events of another exchange',
      writeReceipt({ ...parts, exchange: 'another' }),
      /^entry 12 is of another exchange$/,
    ],
    [
      'of events out of order',
      writeReceipt({ ...parts, entries: entries.toReversed() }),
      /^entry 13 stands after entry 14$/,
    ],
    [
      'of an event twice',
      writeReceipt({ ...parts, entries: [...entries, entries[2]!] }),
      /^entry 14 stands after entry 14$/,
    ],
    [
      'of no event',
      writeReceipt({ ...parts, entries: [] }),
      /^the receipt does not hold an event and a path by turns$/,
    ],
    [
      'of an entry in another place',
      receipt.replace('event 13 ', 'event 15 '),
      /^entry 15 is not in the log of 50 entries/,
    ],
    [
      'under another checkpoint',
      writeReceipt({ ...parts, note: [...log.checkpoints(16)][0]!.note }),
      /^entry 12 is not in the log/,
    ],
    ['without a path', receipt.replace(/^path .*\n/m, ''), /^the receipt does not hold/],
    ['of something else', 'ndx-export/v1\n\n', /^this is no receipt/],
    ['without a checkpoint', `${receipt.split('\n\n')[0]}\n\n`, /^the checkpoint of the receipt: no signed note/],
  ])('%s proves nothing', (_, text, why) => {
    const verdict = verifyReceipt(text, { logKey: key.verifier })
    expect(verdict.ok).toBe(false)
    expect(verdict.why).toMatch(why)
  })

  test('without the cosignatures asked for proves nothing', () => {
    expect(verifyReceipt(receipt, { ...trusted, witnessKeys: [w1.verifier, w3.verifier] })).toMatchObject({
      ok: false,
      why: '1 of the known witnesses cosigned the checkpoint of 50, not 2',
    })
  })
})
