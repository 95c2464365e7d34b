// What becomes of an export or a receipt on its way (mail, editors, other systems, a torn copy): the verdict names the line and says
// in plain words what happened. And whatever the bytes are, there is a verdict.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { decodeEntry, entryBytesMax } from '#ledger/event.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { diffExports } from '#ledger/proof/export-difference.ts'
import { type ExportVerdict, verifyExport } from '#ledger/proof/export-verification.ts'
import { verifyReceipt, writeReceipt } from '#ledger/proof/receipt.ts'
import { readLines } from '#ledger/proof/text-lines.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-re-encoding-'))
afterAll(() => rmSync(folder, { recursive: true }))
const key = makeNoteKey(join(folder, 'log'), 'log.example')
const policy = { logKey: key.verifier }
const count = 20
/** Header in lines 1 to 4; entry 9 in line 14, the checkpoint of ten in 15, entry 10 in 16, the last checkpoint in 26. */
const log = createFilledLog(key, count, 10)
const text = log.exported()
const bytes = Buffer.from(text)
const lines = text.split('\n').slice(0, -1)
const verify = (file: string | Buffer): Promise<ExportVerdict> =>
  verifyExport(readLines([Buffer.from(file as string)]), policy)

/** Of one entry's text. */
const changed = (index: number, change: (entry: string) => string): string =>
  lines
    .map(line => {
      const [number, hash, ...rest] = line.split(' ')
      return number === String(index) ? `${index} ${hash} ${change(rest.join(' '))}` : line
    })
    .join('\n')
    .concat('\n')

describe('of an export', () => {
  test.each<[string, string | Buffer, Partial<ExportVerdict>]>([
    [
      'with Windows line ends',
      text.replaceAll('\n', '\r\n'),
      { line: 1, why: 'the file has Windows line ends (CRLF) from line 1: convert it back, or export it again' },
    ],
    [
      'with one Windows line end',
      text.replace(/^9 .*$/m, '$&\r'),
      { line: 14, firstBad: 9, why: expect.stringContaining('(CRLF) from line 14') },
    ],
    [
      'with a Windows line end at a checkpoint',
      text.replace(/^checkpoint .*$/m, '$&\r'),
      { line: 15, why: expect.stringContaining('(CRLF) from line 15') },
    ],
    ['with a mark before it', `\ufeff${text}`, { line: 1, why: expect.stringContaining('byte order mark (BOM)') }],
    ['in UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le'), { line: 1, why: expect.stringContaining('UTF-16') }],
    ['in UTF-16 without a mark', Buffer.from(text, 'utf16le'), { line: 1, why: expect.stringContaining('UTF-16') }],
    [
      'in Latin-1',
      Buffer.from(text.replaceAll('ồ', 'ô').replaceAll('ơ', 'o').replaceAll('ố', 'ó'), 'latin1'),
      { line: 5, firstBad: 0, why: expect.stringContaining('line 5 is not UTF-8') },
    ],
    [
      'taken apart (NFD)',
      text.normalize('NFD'),
      {
        line: 5,
        firstBad: 0,
        why: 'entry 0 is not what its hash says: its letters were taken apart (Unicode NFD): convert it back to NFC',
      },
    ],
    [
      'of which one entry was read in another encoding',
      changed(7, entry => new TextDecoder('windows-1252').decode(Buffer.from(entry))),
      {
        line: 12,
        firstBad: 7,
        why: 'entry 7 is not what its hash says: it was read as Windows-1252 and written as UTF-8',
      },
    ],
    [
      'of which one entry was printed by a JSON tool',
      changed(7, entry =>
        entry
          .replaceAll(',', ', ')
          .replaceAll(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
      ),
      {
        line: 12,
        firstBad: 7,
        why: 'entry 7 is not what its hash says: its JSON was written anew, with other spaces or escapes',
      },
    ],
    [
      'of which one line has a space at its end',
      changed(7, entry => `${entry} `),
      { line: 12, firstBad: 7, why: 'entry 7 is not what its hash says: white space was added at its end' },
    ],
    [
      'of which one entry is another',
      changed(7, entry => entry.replace('bank', 'tax')),
      { line: 12, firstBad: 7, why: 'entry 7 is not what its hash says' },
    ],
    ['compressed', gzipSync(bytes), { line: 1, why: 'the file is compressed (gzip): unpack it first' }],
    [
      'compressed and cut',
      gzipSync(bytes).subarray(0, 300),
      { line: 1, why: 'the file is compressed (gzip): unpack it first' },
    ],
    [
      'cut in the middle of an entry',
      bytes.subarray(0, bytes.indexOf('\n12 ') + 40),
      { line: 18, firstBad: 12, why: 'the file ends in the middle of line 18: it was cut' },
    ],
    [
      'cut between two lines',
      bytes.subarray(0, bytes.indexOf('\n12 ') + 1),
      { line: 17, firstBad: 12, why: 'the export ends before the checkpoint of its last entries: it was cut' },
    ],
    [
      'without its last line',
      lines.slice(0, -1).join('\n').concat('\n'),
      { line: 25, firstBad: 20, why: 'the export ends before the checkpoint of its last entries: it was cut' },
    ],
    [
      'without its last line’s end',
      bytes.subarray(0, -1),
      {
        line: 26,
        why: 'all is as it was signed, but the end of line 26, the last, is missing: add it, or export it again',
      },
    ],
    [
      'cut in its header',
      bytes.subarray(0, 36),
      { line: 3, why: expect.stringContaining('the file ends in the middle of line 3') },
    ],
    ['of which nothing is left', '', { line: 0, why: 'the file is empty' }],
    ['with an empty line after it', `${text}\n`, { line: 27, why: 'line 27 is empty' }],
    [
      'with another after it',
      text + text,
      { line: 27, firstBad: 20, why: 'line 27 is the beginning of another export: verify each by itself' },
    ],
    [
      'that mail has quoted',
      text.replaceAll(/^/gm, '> '),
      { line: 1, why: expect.stringContaining('its first line is "> ndx-export/v1"') },
    ],
    [
      'of which mail has folded a line',
      text.replace(/^12 .{60}/m, '$&\n'),
      { line: 18, firstBad: 12, why: expect.stringMatching(/^entry 12 is not what its hash says|^line 18 is neither/) },
    ],
  ])('%s', async (_, file, expected) => {
    const verdict = await verify(file)
    expect(verdict).toMatchObject({ ok: false, ...expected })
    expect(verdict.firstBad).toBe((expected as Partial<ExportVerdict>).firstBad)
  })

  test('unpacked from a torn archive is cut in the middle of a line', async () => {
    const torn = gzipSync(bytes).subarray(0, 900)
    const unpacked = gunzipSync(torn, { finishFlush: constants.Z_SYNC_FLUSH })
    expect(await verify(unpacked)).toMatchObject({
      ok: false,
      why: expect.stringMatching(/ends in the middle of line \d+/),
    })
  })
})

test('an entry is at most as long as the writer may write it, in an export and in a receipt', async () => {
  const sized = (size: number): string => {
    const short = eventOf(1, { title: '' })
    return eventOf(1, { title: 'x'.repeat(size - Buffer.byteLength(short)) })
  }
  for (const [size, isRight] of [
    [entryBytesMax, true],
    [entryBytesMax + 1, false],
  ] as const) {
    const long = createLog(key)
    for (const entry of [eventOf(0), sized(size), eventOf(2)]) long.add(entry)
    const note = long.seal()
    const { exchange } = JSON.parse(eventOf(1)) as { exchange: string }
    const entries = [{ index: 1, entry: sized(size) }]
    const receipt = writeReceipt({ origin: long.origin, exchange, entries, note, size: 3, nodes: long.nodes })
    const why = isRight ? '' : `entry 1 has ${size} bytes; none has more than ${entryBytesMax}`
    expect(await verifyExport(long.exported().split('\n').slice(0, -1), policy)).toMatchObject({ ok: isRight, why })
    expect(verifyReceipt(receipt, policy)).toMatchObject({ ok: isRight, why })
    expect(await verify(long.exported())).toMatchObject({ ok: isRight, ...(isRight ? {} : { line: 6, firstBad: 1 }) })
  }
})

test('an entry that is nested beyond writing is no event, though it is signed', async () => {
  const deep = `{"v":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
  for (const entry of [deep, deep.replace('"v":', '"v":1,"exchange":'), deep.replace('"v":', '"events":')]) {
    const odd = createLog(key)
    for (const line of [eventOf(0), entry, eventOf(2)]) odd.add(line)
    const note = odd.seal()
    const entries = [{ index: 1, entry }]
    const receipt = writeReceipt({ origin: odd.origin, exchange: 'x', entries, note, size: 3, nodes: odd.nodes })
    const expected = { ok: false, firstBad: 1, why: expect.stringMatching(/^entry 1 is no entry/) }
    expect(await verify(odd.exported())).toMatchObject({ ...expected, line: 6 })
    expect(verifyReceipt(receipt, policy)).toMatchObject({ ...expected, line: 4 })
    expect(await diffExports([...odd.exported().trimEnd().split('\n')], lines)).toMatchObject({ index: 1 })
  }
})

describe('whatever the bytes', () => {
  const place = fc.nat({ max: bytes.length - 1 })
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map(part => Buffer.from(part)),
    fc
      .constantFrom('\n', '\r\n', '\ufeff', '\0', '[', '{"', 'checkpoint ', '10 ', ' ', 'ndx-export/v1\n')
      .map(part => Buffer.from(part)),
    fc.nat({ max: 20_000 }).map(depth => Buffer.from(`20 ${'A'.repeat(43)}= ${'['.repeat(depth)}\n`)),
    fc.nat({ max: 60_000 }).map(depth => Buffer.from(`checkpoint ${'['.repeat(depth)}\n`)),
  )
  /** Puts a piece in place of some bytes. */
  const splice = fc.tuple(place, fc.oneof(fc.nat({ max: 3 }), place), piece).map(
    ([at, length, part]) =>
      (file: Buffer): Buffer =>
        Buffer.concat([file.subarray(0, at), part, file.subarray(at + length)]),
  )
  const move = fc.tuple(place, place, place).map(
    ([from, to, at]) =>
      (file: Buffer): Buffer =>
        Buffer.concat([file.subarray(0, at), file.subarray(Math.min(from, to), Math.max(from, to)), file.subarray(at)]),
  )
  const whole = fc.constantFrom<(file: Buffer) => Buffer>(
    file => Buffer.from(file.toString('latin1')),
    file => Buffer.from(file.toString('utf8').normalize('NFKD')),
    file => Buffer.from(file.toString('utf8'), 'utf16le'),
    file => Buffer.from(file.toString('utf8').replaceAll('\n', '\r\n')),
    file => gzipSync(file),
    file => Buffer.from(file).reverse(),
  )
  const alterations = fc.array(fc.oneof({ weight: 6, arbitrary: splice }, { weight: 3, arbitrary: move }, whole), {
    minLength: 1,
    maxLength: 3,
  })

  test('of an altered export there is a verdict with a line, and only what is whole is right', async () => {
    await fc.assert(
      fc.asyncProperty(alterations, fc.integer({ min: 1, max: 5_000 }), async (alter, size) => {
        const file = alter.reduce<Buffer>((all, change) => change(all), bytes)
        const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, at) =>
          file.subarray(at * size, at * size + size),
        )
        const verdict = await verifyExport(readLines(chunks), policy)
        expect(verdict.line).toBeLessThanOrEqual(file.toString('latin1').split('\n').length)
        if (!verdict.ok) {
          expect(verdict.why).not.toBe('')
          return
        }
        // What is right still says what the log says: its entries from the first on, to one of its checkpoints.
        const kept = file.toString('utf8').split('\n')
        expect(kept.filter(line => /^\d/.test(line))).toEqual(
          lines.filter(line => /^\d/.test(line)).slice(0, verdict.size),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('of any bytes there is a verdict, and it is that they are none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async pieces => {
        expect(await verify(Buffer.concat(pieces))).toMatchObject({ ok: false, why: expect.stringMatching(/./) })
      }),
      { numRuns: 300 },
    )
  })

  test('of an altered receipt there is a verdict, and what it proves is in the log', () => {
    const { exchange } = JSON.parse(log.list[6] ?? '') as { exchange: string }
    const note = [...log.checkpoints(count)][0]?.note ?? ''
    const entries = [6, 7, 8].map(index => ({ index, entry: log.list[index] ?? '' }))
    const receipt = writeReceipt({ origin: log.origin, exchange, entries, note, size: count, nodes: log.nodes })
    expect(verifyReceipt(receipt, policy)).toMatchObject({ ok: true })
    fc.assert(
      fc.property(alterations, alter => {
        const altered = alter.reduce<Buffer>((all, change) => change(all), Buffer.from(receipt)).toString('utf8')
        const verdict = verifyReceipt(altered, policy)
        for (const { index, event } of verdict.events) expect([event]).toEqual(decodeEntry(log.list[index] ?? ''))
        if (!verdict.ok) expect(verdict.why).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })
})
