// What is seen on a terminal: colours only where they are wanted, columns that fit, text that cannot disturb.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAuditTable, readEntry } from '#cli/audit-table.ts'
import { findNearest } from '#cli/nearest.ts'
import { cutTo, escapeText, safeJson, widthOf } from '#cli/safe-text.ts'
import { formatTable } from '#cli/table.ts'
import { createTerminal } from '#cli/terminal.ts'

const terminalWith = (stdout: object, env: Record<string, string> = {}) =>
  createTerminal({ stdin: process.stdin, stdout, stderr: process.stderr, env } as never)

describe('colours', () => {
  const coloured = '\u001b[31mno\u001b[39m'
  test.each([
    ['on a terminal', { isTTY: true }, {}, coloured],
    ['with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, coloured],
    ['not with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, 'no'],
    ['not on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, 'no'],
    ['not in a pipe', {}, {}, 'no'],
  ])('%s', (_, stdout, env, expected) => {
    expect(terminalWith(stdout, env).paint('red', 'no')).toBe(expected)
  })
})

describe('safe text', () => {
  test('never holds what could move the cursor, reorder or hide', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(escapeText(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(cutTo(20, escapeText(text))).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(widthOf(cutTo(20, escapeText(text)))).toBeLessThanOrEqual(20)
      }),
    )
  })

  test('lone surrogates too', () => {
    expect(escapeText('a\ud800b')).toBe('a\\u{d800}b')
  })

  test('leaves Vietnamese, Han and punctuation as they are', () => {
    const text = 'Huỳnh Thị Phương Hương · 黃 “…” đ'
    expect(escapeText(text)).toBe(text)
  })

  test('JSON made safe is the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = safeJson(value, 2)
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value))
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('tables', () => {
  test('align by width, not by bytes', () => {
    expect(
      formatTable(
        ['NAME', 'N'],
        [
          ['Hà Nội', '1'],
          ['黃', '23'],
        ],
      ),
    ).toBe('NAME     N\nHà Nội   1\n黃      23\n')
  })

  const facts = {
    event: 'exchange',
    client: 'public-service-portal',
    service: 'population/identity-verification',
    outcome: 'refused',
    code: 'NDX_PURPOSE_NOT_GRANTED',
    totalMs: 1,
    exchangeId: '01a201e0-e2c4-7375-aa80-5cf63fbad84d',
  }
  const row = readEntry({ text: JSON.stringify(facts), isCut: false })

  test.each([80, 100, 117, 140, 400])('the audit log fits a terminal of %i columns', columns => {
    const table = createAuditTable(terminalWith({ isTTY: true, columns }, { NO_COLOR: '1' }))
    for (const line of [table.header(), table.row(row)]) expect(widthOf(line.trimEnd())).toBeLessThanOrEqual(columns)
    expect(table.header().includes('DECIDED')).toBe(columns >= 117)
  })

  test('the outcome is coloured and padded', () => {
    const table = createAuditTable(terminalWith({ isTTY: true, columns: 400 }))
    expect(table.row(row)).toContain('\u001b[33mrefused \u001b[39m  NDX_PURPOSE_NOT_GRANTED')
  })
})

describe('the nearest name', () => {
  test.each([
    ['tokne', 'token'],
    ['serv', 'services'],
    ['wach', 'watch'],
    ['', undefined],
    ['frobnicate', undefined],
  ])('of %j is %j', (name, nearest) => {
    expect(findNearest(name, ['token', 'services', 'watch'])).toBe(nearest)
  })
})
