// The log: one JSON line an event, whose words name their level, and errors reduced to kind, message, stack and cause.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLog, describeError } from '#runtime/log.ts'

function startLog(level = 'info') {
  const lines: string[] = []
  return { log: createLog({ level, instance: 'test', stream: { write: line => void lines.push(line) } }), lines }
}

test('a line is what it was given, with level, time and instance', () => {
  const { log, lines } = startLog()
  log.info({ event: 'x', count: 1 })
  expect(lines.map(line => JSON.parse(line))).toEqual([
    { level: 'info', time: expect.any(Number), instance: 'test', event: 'x', count: 1 },
  ])
})

test('however much is said in one go, no more than a few lines are kept back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ndx-log-'))
  const file = join(folder, 'log')
  const log = createLog({ level: 'info', instance: 'test', file })
  const text = 'x'.repeat(1_000)
  for (let i = 0; i < 1_000; i++) log.info({ i, text })
  expect(statSync(file).size).toBeGreaterThan(1_000_000 - 10_000)
  await new Promise(resolve => log.flush(resolve))
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.map(line => (JSON.parse(line) as { i: number }).i)).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  rmSync(folder, { recursive: true })
})

test.skipIf(!existsSync('/dev/full'))(
  'a disk that is full ends the process, and not the call that said something',
  () => {
    const script = `
    import { createLog } from './runtime/log.ts'
    process.on('uncaughtException', ({ code }) => { console.log('ends:', code); process.exit(1) })
    const log = createLog({ level: 'info', instance: 'test', file: '/dev/full' })
    for (let i = 0; i < 20; i++) log.info({ text: 'x'.repeat(1_000) })
    console.log('said')`
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect([stdout, status]).toEqual(['said\nends: ENOSPC\n', 1])
  },
)

test('a line break in a value does not begin a line', () => {
  const { log, lines } = startLog()
  log.info({ event: 'x\n{"level":"fatal"}', other: '\u2028\r\u001b[31m' })
  expect(lines).toHaveLength(1)
  const controls = [...(lines[0] ?? '').trimEnd()].filter(character => character < ' ')
  expect(controls).toEqual([])
})

test('lines below the level are not written', () => {
  const { log, lines } = startLog('warn')
  log.info({ event: 'x' })
  log.warn({ event: 'y' })
  expect(lines.map(line => JSON.parse(line).event)).toEqual(['y'])
})

test('an error is described without the fields that libraries hang on it', () => {
  const error = Object.assign(new TypeError('broken', { cause: new RangeError('deeper') }), {
    config: { password: 'x' },
  })
  const described = describeError(error)
  expect(described).toEqual({
    kind: 'TypeError',
    message: 'broken',
    stack: expect.stringContaining('log.test.ts'),
    cause: 'RangeError: deeper',
  })
  expect(describeError('text')).toEqual({ kind: 'string', message: 'not an Error' })
})

test('the folder and the file are not for everybody, also a file that was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ndx-log-'))
  const modeOf = (path: string): number => statSync(path).mode & 0o777
  createLog({ level: 'info', instance: 'test', file: join(folder, 'made', 'log') })
  expect(modeOf(join(folder, 'made'))).toBe(0o700)
  expect(modeOf(join(folder, 'made', 'log')) & ~0o640).toBe(0)
  const older = join(folder, 'older')
  writeFileSync(older, '')
  chmodSync(older, 0o644)
  createLog({ level: 'info', instance: 'test', file: older })
  expect(modeOf(older)).toBe(0o640)
  rmSync(folder, { recursive: true })
})
