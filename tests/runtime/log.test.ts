// The log: one JSON line an event, whose words name their level, and errors reduced to kind, message, stack and cause.
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
