// Where two exports part.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { diffExports } from '#ledger/proof/export-difference.ts'
import { Fault } from '#ledger/proof/fault.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-difference-'))
afterAll(() => rmSync(folder, { recursive: true }))
const key = makeNoteKey(join(folder, 'log'), 'log.example')
const log = createFilledLog(key, 50, 8)
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1)

describe('a difference', () => {
  const other = createLog(key)
  for (let index = 0; index < 50; index++)
    other.add(eventOf(index, index === 33 ? { client: 'tax-office', code: 'X' } : {}))
  other.seal()
  const diff = (a: string, b: string) => diffExports(linesOf(a), linesOf(b))

  test('is none between an export and itself, whatever its checkpoints and its beginning', async () => {
    expect(await diff(log.exported(), log.exported())).toBeUndefined()
    expect(await diff(log.exported(), createFilledLog(key, 50, 7).exported(20))).toBeUndefined()
  })

  test('is named by the first entry and its members', async () => {
    const what = 'client: "bank" in a, "tax-office" in b; code: nothing in a, "X" in b'
    expect(await diff(log.exported(), other.exported())).toEqual({ index: 33, what })
    expect(await diff(log.exported(30), other.exported(10))).toEqual({ index: 33, what })
    expect(await diff(log.exported(34), other.exported())).toBeUndefined()
  })

  test('is where one ends, has a gap, or says the same in another form', async () => {
    const short = createFilledLog(key, 40, 8).exported()
    expect(await diff(log.exported(), short)).toEqual({ index: 40, what: 'b ends before entry 40' })
    expect(await diff(short, log.exported())).toEqual({ index: 40, what: 'a ends before entry 40' })
    const gap = log.exported().replace(/^7 .*\n/m, '')
    expect(await diff(gap, log.exported())).toEqual({ index: 7, what: 'a has entry 8 where b has entry 7' })
    const spaced = log.exported().replace(/^(7 \S+ )\{/m, '$1{ ')
    expect(await diff(spaced, log.exported())).toEqual({
      index: 7,
      what: 'their hashes or their forms differ, their members do not',
    })
  })

  test('between logs is that they are others; what is no export has none', async () => {
    const elsewhere = createFilledLog(makeNoteKey(join(folder, 'else'), 'else.example'), 3, 3).exported()
    expect(await diff(log.exported(), elsewhere)).toEqual({ what: 'a is of "log.example", b of "else.example"' })
    await expect(diff(log.exported(), 'x\n')).rejects.toThrow(Fault)
    await expect(diff(log.exported(), `${linesOf(log.exported()).slice(0, 4).join('\n')}\nnonsense\n`)).rejects.toThrow(
      Fault,
    )
  })
})
