// An export of 200 entries, altered in every place and in every way: verification finds each, and names the entry when it is one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { type ExportVerdict, verifyExport } from '#ledger/proof/export-verification.ts'
import { readLines } from '#ledger/proof/text-lines.ts'
import { createFilledLog } from './proof-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-mutations-'))
afterAll(() => rmSync(folder, { recursive: true }))
const key = makeNoteKey(join(folder, 'log'), 'log.example')
const witness = makeNoteKey(join(folder, 'witness'), 'witness.example', 'witness')

const count = 200
/** Entries to a checkpoint; the last has fewer. */
const every = 32
const log = createFilledLog(key, count, every, [witness])
const policy = { logKey: key.verifier, witnessKeys: [witness.verifier], witnessesMin: 1 }
const lines = log.exported().split('\n').slice(0, -1)
const lineOf = (index: number): number => lines.findIndex(line => line.startsWith(`${index} `))
const verify = (altered: readonly string[]): Promise<ExportVerdict> => verifyExport(altered, policy)
const indexes = Array.from({ length: count }, (_, index) => index)

/** Another character of the same kind, so that the form stays. */
const other = (character: string): string => {
  if (/[0-8a-yA-Y]/.test(character)) return String.fromCharCode(character.charCodeAt(0) + 1)
  return character === 'x' ? 'y' : 'x'
}
const changeAt = (text: string, at: number): string => text.slice(0, at) + other(text[at]!) + text.slice(at + 1)

test('as it is, it is right', async () => {
  expect(await verify(lines)).toMatchObject({
    ok: true,
    entries: count,
    checkpoints: 7,
    cosignedBy: ['witness.example'],
  })
})

describe('every entry', () => {
  const findsEach = async (alter: (index: number) => string[], bad: (index: number) => number): Promise<void> => {
    for (const index of indexes) {
      const verdict = await verify(alter(index))
      if (verdict.ok || verdict.firstBad !== bad(index) || verdict.lastBad !== undefined)
        expect.fail(`entry ${index}: ${JSON.stringify(verdict)}`)
    }
  }

  test('changed in its text is named', () =>
    findsEach(
      index => {
        const line = lines[lineOf(index)]!
        const start = line.indexOf('{')
        return lines.with(lineOf(index), changeAt(line, start + ((index * 31) % (line.length - start))))
      },
      index => index,
    ))

  test('changed in its hash is named', () =>
    findsEach(
      index => lines.with(lineOf(index), changeAt(lines[lineOf(index)]!, String(index).length + 1 + (index % 43))),
      index => index,
    ))

  test('changed in its number is named', () =>
    findsEach(
      index => lines.with(lineOf(index), changeAt(lines[lineOf(index)]!, String(index).length - 1)),
      index => index,
    ))

  test('left out is named', () =>
    findsEach(
      index => lines.toSpliced(lineOf(index), 1),
      index => index,
    ))

  test('left out, and those after it counted anew, is found', async () => {
    for (const index of indexes.filter(at => at % every !== every - 1 && at !== count - 1)) {
      const altered = lines.toSpliced(lineOf(index), 1).map(line => {
        const [number = '', ...rest] = line.split(' ')
        return /^\d+$/.test(number) && Number(number) > index ? [Number(number) - 1, ...rest].join(' ') : line
      })
      const verdict = await verify(altered)
      const end = Math.min(index - (index % every) + every, count) - 1
      if (verdict.ok || verdict.firstBad !== end) expect.fail(`entry ${index}: ${JSON.stringify(verdict)}`)
    }
  })

  test('swapped with the next is named', async () => {
    for (const index of indexes.slice(0, -1)) {
      const [one, next] = [lineOf(index), lineOf(index + 1)]
      const verdict = await verify(lines.with(one, lines[next]!).with(next, lines[one]!))
      if (verdict.ok || verdict.firstBad !== index) expect.fail(`entry ${index}: ${JSON.stringify(verdict)}`)
    }
  })

  test('swapped with the next, each under the other’s number, is narrowed to the entries of its checkpoint', async () => {
    const content = (index: number): string => lines[lineOf(index)]!.slice(String(index).length + 1)
    for (const index of indexes.slice(0, -1)) {
      const altered = lines
        .with(lineOf(index), `${index} ${content(index + 1)}`)
        .with(lineOf(index + 1), `${index + 1} ${content(index)}`)
      const { ok, firstBad = -1, lastBad = firstBad } = await verify(altered)
      if (ok || firstBad > index || lastBad < index) expect.fail(`entry ${index}: ${firstBad} to ${lastBad}`)
    }
  })

  test('twice is named by the place that it takes', () =>
    findsEach(
      index => lines.toSpliced(lineOf(index), 0, lines[lineOf(index)]!),
      index => index + 1,
    ))

  test('as the end of a file that is cut there is named as the first that is missing', async () => {
    const checkpoint = [...log.checkpoints(count)][0]!.note
    for (const index of indexes) {
      const cut = lines.slice(0, lineOf(index))
      expect(await verifyExport(cut, { ...policy, checkpoint })).toMatchObject({ ok: false, firstBad: index })
      const isAtCheckpoint = index > 0 && index % every === 0
      if (!isAtCheckpoint) expect(await verifyExport(cut, { logKey: key.verifier })).toMatchObject({ firstBad: index })
    }
  })

  test('after a checkpoint at which the file is cut is missed by none but a later checkpoint', async () => {
    expect(await verifyExport(lines.slice(0, lineOf(32)), { logKey: key.verifier })).toMatchObject({
      ok: true,
      size: 32,
    })
  })

  test('in which the file is torn is named', async () => {
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    let start = 0
    for (const [at, line] of lines.entries()) {
      const length = Buffer.byteLength(line)
      const torn = bytes.subarray(0, start + 1 + ((at * 17) % length))
      const verdict = await verifyExport(readLines([torn]), policy)
      const index = /^(\d+) /.exec(line)?.[1]
      if (verdict.ok || (index !== undefined && verdict.firstBad !== Number(index)))
        expect.fail(`line ${at}: ${JSON.stringify(verdict)}`)
      start += length + 1
    }
    expect(await verifyExport(readLines([bytes.subarray(0, -1)]), policy)).toMatchObject({
      ok: false,
      why: 'all is as it was signed, but the end of line 211, the last, is missing: add it, or export it again',
    })
  })
})

describe('every line that is no entry', () => {
  const others = lines.flatMap((line, at) => (/^\d+ /.test(line) ? [] : [at]))

  test('changed in any character is found', async () => {
    expect(others).toHaveLength(4 + 7)
    for (const at of others) {
      const line = lines[at]!
      for (let place = 0; place < line.length; place += at < 4 ? 1 : 3) {
        const verdict = await verify(
          lines
            .slice(0, at + 1)
            .with(at, changeAt(line, place))
            .concat(lines.slice(at + 1)),
        )
        const isFrom = at === 2 && verdict.line === 4 // another beginning is found by the hashes before it
        if (verdict.ok || (verdict.line !== at + 1 && !isFrom))
          expect.fail(`line ${at}, character ${place}: ${JSON.stringify(verdict)}`)
      }
    }
  })

  test('of the header left out, twice, or with something after it is found', async () => {
    for (const at of [0, 1, 2, 3]) {
      const line = lines[at]!
      for (const altered of [
        lines.toSpliced(at, 1),
        lines.toSpliced(at, 0, line),
        lines.with(at, `${line} `),
        lines.with(at, `${line}\r`),
      ])
        expect(await verify(altered)).toMatchObject({ ok: false })
    }
    for (let end = 0; end <= 4; end++) expect(await verify(lines.slice(0, end))).toMatchObject({ ok: false })
  })

  test('a checkpoint in another place is found', async () => {
    for (const at of others.slice(4)) {
      const [moved, without] = [lines[at]!, lines.toSpliced(at, 1)]
      for (const to of [at - 1, at + 1, 4]) {
        if (to < lines.length) expect(await verify(without.toSpliced(to, 0, moved))).toMatchObject({ ok: false })
      }
    }
  })

  test('swapped with the entry before or after it is named, with the first entry that is out of place', async () => {
    for (const at of others.slice(4, -1)) {
      const size = Number(/\\n(\d+)\\n/.exec(lines[at]!)?.[1])
      const swapped = (one: number, two: number) => verify(lines.with(one, lines[two]!).with(two, lines[one]!))
      expect(await swapped(at - 1, at)).toMatchObject({
        ok: false,
        line: at,
        firstBad: size - 1,
        why: `the checkpoint of ${size} entries stands after ${size - 1}`,
      })
      expect(await swapped(at, at + 1)).toMatchObject({
        ok: false,
        line: at + 2,
        firstBad: size,
        why: `the checkpoint of ${size} entries stands after ${size + 1}`,
      })
      expect(await swapped(at - 1, at + 1)).toMatchObject({
        ok: false,
        line: at,
        firstBad: size - 1,
        why: `entry ${size} stands where entry ${size - 1} belongs`,
      })
    }
  })

  test('the last checkpoint left out is found; one between is not missed, and only widens what is named', async () => {
    expect(await verify(lines.slice(0, -1))).toMatchObject({ ok: false, firstBad: count })
    expect(await verify(lines.toSpliced(others[6]!, 1))).toMatchObject({ ok: true, checkpoints: 6 })
  })

  test('a line of anything else anywhere is found', async () => {
    for (let at = 0; at <= lines.length; at += 5)
      for (const line of ['', ' ', '#', 'checkpoint', 'checkpoint ', 'checkpoint {}', '200 x y', lines[2]!])
        expect(await verify(lines.toSpliced(at, 0, line))).toMatchObject({ ok: false })
  })
})

test('any byte of the file changed is found', async () => {
  const bytes = Buffer.from(log.exported())
  for (let at = 0; at < bytes.length; at += 211) {
    for (const mask of [0x01, 0x20, 0x80]) {
      const altered = Buffer.from(bytes)
      altered[at]! ^= mask
      const verdict = await verifyExport(readLines([altered]), policy)
      if (verdict.ok) expect.fail(`byte ${at}, mask ${mask}`)
    }
  }
})
