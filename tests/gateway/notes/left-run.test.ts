// Whatever was cut off or altered in what a run left: reading it never throws, what is whole comes once under its number, and
// nothing comes that was not noted.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { encodeNote } from '#bus/note.ts'
import { readLeftRun } from '#gateway/notes/left-run.ts'
import { type NumberedNote, writeNoteLine, writeTallyLine } from '#gateway/notes/note-line.ts'
import { refusal, upTo } from './notes-harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-left-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const noted: NumberedNote[] = upTo(6).map(n => ({ number: n, note: encodeNote({ ...refusal(n), notedMs: 1_000 + n }) }))
const tally = { second: 7, code: 'NDX_ROUTE_UNKNOWN', count: 12 }
const lines = [...noted.slice(0, 3).map(writeNoteLine), writeTallyLine(tally), ...noted.slice(3).map(writeNoteLine)]
const text = lines.join('')

function read(contents: Record<string, string | Uint8Array>) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
  const run = readLeftRun(folder)
  const notes: NumberedNote[] = []
  let entry = run.next()
  for (; entry.done !== true; entry = run.next()) notes.push(entry.value)
  return { notes, next: entry.value }
}

const tallied = (number: number) => ({
  number,
  note: expect.stringContaining('"facts":{"code":"NDX_ROUTE_UNKNOWN","count":12}'),
})

test('gives all notes, then one for the tally that has none', () => {
  expect(read({ '0.notes': text })).toEqual({ notes: [...noted, tallied(6)], next: 7 })
  expect(read({ '0.notes': '' })).toEqual({ notes: [], next: 0 })
  expect(read({ '41.notes': '', 'another.file': 'x' })).toEqual({ notes: [], next: 41 })
  expect(read({ '0.notes': lines.slice(0, 4).join(''), '3.notes': lines.slice(4).join('') }).next).toBe(7)
})

test('a torn last line is dropped, a line that is not whole uses its number', () => {
  expect(read({ '0.notes': text.slice(0, -1) })).toEqual({ notes: [...noted.slice(0, 5), tallied(5)], next: 6 })
  const last = lines.at(-1) as string
  expect(read({ '0.notes': text.replace(last, last.replace('429', '200')) })).toEqual({
    notes: [...noted.slice(0, 5), tallied(6)],
    next: 7,
  })
})

test('cut or garbled anywhere, what is whole comes once and in order, and the same again', () => {
  const harm = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(400),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(...lines).map(line => Buffer.from(line)),
    ),
  })
  fc.assert(
    fc.property(fc.array(harm, { minLength: 1, maxLength: 4 }), fc.boolean(), (harms, isCut) => {
      let bytes = Buffer.from(text)
      for (const { at, length, put } of harms)
        bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)])
      if (isCut) bytes = bytes.subarray(0, harms[0]?.at)
      const given = read({ '0.notes': bytes })
      const numbers = given.notes.map(({ number }) => number)
      expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other))
      const real = given.notes.filter(({ note }) => !note.includes('unidentified'))
      for (const entry of real) expect(entry).toEqual(noted[entry.number])
      expect(given.notes.length - real.length).toBeLessThanOrEqual(1)
      const isInOrder = bytes
        .toString()
        .split('\n')
        .slice(0, -1)
        .filter(line => lines.includes(`${line}\n`))
      for (const entry of noted) {
        const at = isInOrder.indexOf(writeNoteLine(entry).trimEnd())
        const hasLater = noted.slice(entry.number + 1).some(({ number }) => {
          const later = isInOrder.indexOf(writeNoteLine(noted[number] as NumberedNote).trimEnd())
          return later >= 0 && later < at
        })
        if (at >= 0 && !hasLater) expect(real).toContainEqual(entry)
      }
      expect(read({ '0.notes': bytes })).toEqual(given)
    }),
  )
})
