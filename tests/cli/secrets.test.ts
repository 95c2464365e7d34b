// `ndx secrets` with an option: pseudonym keys listed, replaced, destroyed; never the one in use, never by mistake.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { monthOf, nextMonthMs } from '#runtime/key-versions.ts'
import { makeFolder, ndxHere } from './ndx.ts'

let dataDir: string
let month: string
let next: string
const ndx = (...options: string[]) => ndxHere(['secrets', ...options], { NDX_DATA_DIR: dataDir })
beforeEach(async () => {
  dataDir = makeFolder()
  month = monthOf(Date.now())
  next = monthOf(nextMonthMs(Date.now()))
  await ndx()
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const list = async (): Promise<string[][]> =>
  (await ndx('--list')).stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/ {2,}/))

test('lists the keys of this month and the next', async () => {
  expect(await list()).toEqual([
    [`${month}`, 'in use'],
    [`${next}`, 'to come'],
  ])
})

test('lists nothing where there is nothing', async () => {
  rmSync(join(dataDir, 'secrets'), { recursive: true })
  expect(await ndx('--list')).toEqual({ status: 0, stdout: 'VERSION  STATE\n', stderr: '' })
})

test('rotates: another key is in use at once, the old one is kept', async () => {
  expect(await ndx('--rotate')).toMatchObject({ status: 0, stdout: `${month}b\n` })
  expect(await list()).toEqual([
    [`${month}`, 'past'],
    [`${month}b`, 'in use'],
    [`${next}`, 'to come'],
  ])
})

test('destroys one that is not in use, when asked twice', async () => {
  await ndx('--rotate')
  const path = join(dataDir, 'secrets/pseudonym-keys', month)
  const asked = await ndx('--destroy', month)
  expect(asked).toMatchObject({ status: 2, stdout: '' })
  expect(asked.stderr).toContain('add --yes')
  expect(existsSync(path)).toBe(true)
  expect(await ndx('--destroy', month, '--yes')).toMatchObject({ status: 0, stdout: `${month}\n` })
  expect(existsSync(path)).toBe(false)
  expect(await ndx()).toMatchObject({ status: 0, stdout: '' })
  expect(await list()).toEqual([
    [`${month}b`, 'in use'],
    [`${next}`, 'to come'],
  ])
})

test('does not destroy the one in use, nor one that is not there', async () => {
  const inUse = await ndx('--destroy', month, '--yes')
  expect(inUse).toMatchObject({ status: 1, stdout: '' })
  expect(inUse.stderr).toBe(
    `ndx secrets: the pseudonym key ${month} is in use; \`npx ndx secrets --rotate\` makes another first.\n`,
  )
  const unknown = await ndx('--destroy', '../issuer-key.json', '--yes')
  expect(unknown).toMatchObject({ status: 1, stdout: '' })
  expect(unknown.stderr).toContain('there is no pseudonym key “../issuer-key.json”')
})

test.each([
  [['--list', '--rotate'], '--list, --rotate, --destroy and --callback exclude each other.'],
  [['--rotate', '--destroy', '202601'], '--list, --rotate, --destroy and --callback exclude each other.'],
  [['--yes'], '--yes goes with --destroy.'],
])('%j is a wrong command line', async (options, message) => {
  expect(await ndx(...options)).toEqual({
    status: 2,
    stdout: '',
    stderr: `ndx secrets: ${message}\nSee: npx ndx secrets --help\n`,
  })
})
