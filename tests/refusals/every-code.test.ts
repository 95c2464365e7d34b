// Every code of the error table has a test here that provokes it, and its words are what they were: a changed title, status or
// fault is a visible diff of the golden copy. Reads the calls of expectProblem and its siblings in this folder's source; that
// the calls are reached is for the tests themselves, each of which fails if its call does.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorTable } from '#contracts/errors.ts'

const golden = join(import.meta.dirname, '../golden/problems.json')
const expectation = /expect(?:Problem|OAuthError|RawProblem|Unheard)\((?:(?!expect)[\s\S]){0,200}?'(NDX_[A-Z_]+)'/g

test('every code is provoked by a test', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter(name => name.endsWith('.test.ts') && name !== 'every-code.test.ts')
    .map(name => readFileSync(join(import.meta.dirname, name), 'utf8'))
  const provoked = new Set(sources.flatMap(source => [...source.matchAll(expectation)].map(([, code]) => code)))
  expect(Object.keys(errorTable).filter(code => !provoked.has(code))).toEqual([])
  expect([...provoked].filter(code => !Object.hasOwn(errorTable, code as string))).toEqual([])
})

test('the table is its golden copy', () => {
  const text = `${JSON.stringify(errorTable, null, 2)}\n`
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text)
  expect(JSON.parse(readFileSync(golden, 'utf8'))).toEqual(errorTable)
})

test('a code’s status agrees with whose fault it is', () => {
  for (const [code, { status, fault, retryable }] of Object.entries(errorTable)) {
    expect([code, fault === 'client']).toEqual([code, status < 500])
    if (status === 429 || status >= 500) expect([code, retryable]).toEqual([code, true])
  }
})
