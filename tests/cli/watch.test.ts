// `ndx watch` on logs of our own making: what a row looks like, filters, nasty lines, and files that their writers treat badly.
import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { launch, makeFolder, ndx, ndxHere, type Running, shell } from './ndx.ts'

const folder = makeFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${++files}.log`)

process.env['TZ'] = 'UTC' // rows show local time

const lineOf = (facts: object): string => `${JSON.stringify({ level: 'info', time: 1_700_000_000_000, ...facts })}\n`
const exchangeLine = (facts: object = {}): string =>
  lineOf({
    event: 'exchange',
    exchangeId: '01a201e0-e2c4-7375-aa80-5cf63fbad84d',
    client: 'bank',
    service: 'population/identity-verification',
    outcome: 'answered',
    decidedMs: 0.84,
    publishedMs: 1.5,
    repliedMs: 2,
    handledMs: 0.3,
    totalMs: 2.25,
    ...facts,
  })
const header =
  'TIME          CLIENT                 SERVICE                                  OUTCOME   CODE                             MS  DECIDED  PUBLISHED  REPLIED  HANDLED  EXCHANGE\n'

const show = async (content: string | Buffer, ...options: string[]): Promise<string> => {
  const { status, stdout, stderr } = await ndxHere(['watch', '-', ...options], {}, content)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

describe('a row', () => {
  test('tells who asked what, how it ended and how long each hop took', async () => {
    const refused = exchangeLine({
      outcome: 'refused',
      code: 'NDX_RATE_EXCEEDED',
      decidedMs: undefined,
      publishedMs: undefined,
      repliedMs: undefined,
      handledMs: undefined,
    })
    expect(await show(exchangeLine() + refused)).toBe(`${header}\
22:13:20.000  bank                   population/identity-verification         answered  -                               2.3      0.8        1.5      2.0      0.3  01a201e0-e2c4-7375-aa80-5cf63fbad84d
22:13:20.000  bank                   population/identity-verification         refused   NDX_RATE_EXCEEDED               2.3        -          -        -        -  01a201e0-e2c4-7375-aa80-5cf63fbad84d
`)
  })

  test('of another event names it and its facts; of no JSON is the text', async () => {
    expect(await show(`${lineOf({ event: 'road', state: 'closed' })}npm warn something\n`)).toBe(
      `${header}22:13:20.000  road  state=closed\nnpm warn something\n`,
    )
  })

  test('cuts long cells to their width', async () => {
    const row = (await show(exchangeLine({ client: 'x'.repeat(100_000) }))).split('\n')[1]
    expect(row).toContain(`  ${'x'.repeat(20)}…  population/`)
  })
})

describe('nasty lines', () => {
  /** Whatever could disturb a terminal, but for the ends of the rows themselves. */
  const control = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u

  test('are shown as escapes, in rows, events and text', async () => {
    const nasty = 'a\u001b[31mb\u009b2J\u202ec\u2028\r\td\u0000\u200b\u2066'
    const shown = await show(
      exchangeLine({ client: nasty, service: nasty, outcome: nasty, code: nasty, exchangeId: nasty }) +
        lineOf({ event: nasty, [nasty]: nasty }) +
        `${nasty}\n`,
    )
    expect(shown).not.toMatch(control)
    expect(shown.split('\n')).toHaveLength(5)
    expect(shown).toContain('a\\u{1b}[31mb\\u{9b}2J\\u{202e}c\\u{2028}\\r\\td\\u{0}\\u{200b}\\u{2066}')
  })

  test('a line break inside a value makes no second row', async () => {
    const forged = exchangeLine({ client: 'bank\n22:13:20.000  social-insurance' })
    expect((await show(forged)).split('\n')).toHaveLength(3)
  })

  test('a line of 1 MB is cut, and the next one is whole', async () => {
    for (const long of ['x'.repeat(1 << 20), JSON.stringify({ event: 'exchange', client: 'x'.repeat(1 << 20) })]) {
      const [, first, second, ...rest] = (await show(`${long}\n${exchangeLine()}`)).split('\n')
      expect(first).toHaveLength(200)
      expect(first?.endsWith('…')).toBe(true)
      expect(second).toContain('  bank  ')
      expect(rest).toEqual([''])
    }
  })

  test('broken UTF-8, JSON that is no object, values of other types and blank lines do no harm', async () => {
    const broken = Buffer.concat([Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from('\n\n[1]\nnull\n7\n   \r\n')])
    const odd = Buffer.from(
      exchangeLine({ client: { a: [1] }, service: 5, totalMs: '1', time: 1e300, exchangeId: null }),
    )
    expect(await show(Buffer.concat([broken, odd]))).toBe(
      `${header}\ufffd\ufffd\ufffd\n[1]\nnull\n7\n-             {"a":[1]}              5                                        answered  -                                 -      0.8        1.5      2.0      0.3  null\n`,
    )
  })

  test('a character torn between two reads is whole', async () => {
    const file = newFile()
    writeFileSync(file, '')
    const watching = await watchFile(file)
    const bytes = Buffer.from('Huỳnh Thị Phương\n')
    appendFileSync(file, bytes.subarray(0, 4))
    await until('the file was looked at', () => watching.child.exitCode === null)
    appendFileSync(file, bytes.subarray(4))
    await until('the line is shown', () => watching.stdout().includes('\nHuỳnh Thị Phương\n'))
    await watching.stop()
  })

  test('as JSON they stay the same JSON, and still show nothing raw', async () => {
    const facts = { event: 'exchange', client: 'a\u001b[31m\u202e\u{e0041}', time: 1_700_000_000_000 }
    const shown = await show(`no JSON\n${JSON.stringify(facts)}\n`, '--json')
    expect(shown).not.toMatch(control)
    expect(JSON.parse(shown)).toEqual(facts)
  })
})

test('a process shows the same as is shown here', async () => {
  const log = `${exchangeLine()}\u001b[2J\u202e\n`
  expect((await ndx(['watch', '-'], {}, log)).stdout).toBe(await show(log))
})

describe('filters', () => {
  const log = [
    exchangeLine({ exchangeId: 'one' }),
    exchangeLine({
      exchangeId: 'two',
      client: 'social-insurance',
      outcome: 'refused',
      code: 'NDX_PURPOSE_NOT_GRANTED',
    }),
    exchangeLine({ exchangeId: 'three', client: 'social-insurance', service: 'population/citizen-record' }),
    exchangeLine({ exchangeId: 'four', time: Date.now() - 30_000 }),
    lineOf({ event: 'token', client: 'bank' }),
    'no JSON\n',
  ].join('')

  test.each([
    [
      ['--client', 'bank'],
      ['one', 'four'],
    ],
    [
      ['--client', 'bank', '--client', 'social-insurance'],
      ['one', 'two', 'three', 'four'],
    ],
    [['--client', 'social-insurance', '--outcome', 'refused'], ['two']],
    [['--code', 'NDX_PURPOSE_NOT_GRANTED'], ['two']],
    [['--service', 'population/citizen-record'], ['three']],
    [['--service', 'citizen-record'], ['three']],
    [['--client', 'nobody'], []],
    [['--client', 'bank', '--since', '1m'], ['four']],
    [['--client', 'bank', '--since', '10'], []],
  ])('%j', async (options, ids) => {
    const rows = (await show(log, ...options)).trimEnd().split('\n').slice(1)
    expect(rows.map(row => row.split(/ +/).at(-1))).toEqual(ids)
  })

  test('--json gives the lines that are wanted', async () => {
    const lines = (await show(log, '--json', '--client', 'bank')).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).exchangeId)).toEqual(['one', 'four'])
  })
})

describe('files', () => {
  test('--no-follow shows what is there, the last unfinished line too, and ends', async () => {
    const file = newFile()
    writeFileSync(file, `${exchangeLine({ exchangeId: 'one' })}no end`)
    const { status, stdout } = await ndx(['watch', '--file', file, '--no-follow'])
    expect(status).toBe(0)
    expect(
      stdout
        .split('\n')
        .slice(1)
        .map(row => row.split(/ +/).at(-1)),
    ).toEqual(['one', 'end', ''])
  })

  test('the default is the log of the data directory', async () => {
    writeFileSync(join(folder, 'named.log'), 'hello\n')
    const { stdout } = await ndx(['watch', '--no-follow'], { NDX_LOG_FILE: join(folder, 'named.log') })
    expect(stdout).toBe(`${header}hello\n`)
    const { status, stderr } = await ndx(['watch', '--no-follow'], { NDX_DATA_DIR: folder })
    expect(status).toBe(1)
    expect(stderr).toContain(`cannot read ${folder}/log/ndx.log (ENOENT)`)
  })

  test('a folder is no log', async () => {
    const { status, stderr } = await ndx(['watch', '--file', folder])
    expect(status).toBe(1)
    expect(stderr).toContain('(EISDIR)')
  })

  test('waits for a file that is not there yet', async () => {
    const file = newFile()
    const watching = launch(['watch', '--file', file])
    await until('it says that it waits', () => watching.stderr().includes(`waiting for ${file}`))
    writeFileSync(file, 'here\n')
    await until('the line is shown', () => watching.stdout().includes('\nhere\n'))
    await watching.stop()
  })

  test('survives truncation', async () => {
    const file = newFile()
    writeFileSync(file, 'a first line\nhalf')
    const watching = await watchFile(file, 'a first line\n')
    truncateSync(file, 0)
    await until('what was half is let go', () => watching.stdout().endsWith('half\n'))
    appendFileSync(file, 'after\n')
    await until('the new line is shown', () => watching.stdout().endsWith('half\nafter\n'))
    await watching.stop()
  })

  test('survives rotation, and loses nothing that was written to the old file before', async () => {
    const file = newFile()
    writeFileSync(file, 'old\n')
    const watching = await watchFile(file, 'old\n')
    renameSync(file, `${file}.1`)
    appendFileSync(`${file}.1`, 'to the old one\n')
    writeFileSync(file, 'new\n')
    await until('both are shown', () => watching.stdout().endsWith('old\nto the old one\nnew\n'))
    appendFileSync(file, 'newer\n')
    await until('the new file is followed', () => watching.stdout().endsWith('new\nnewer\n'))
    await watching.stop()
  })

  test('of a long file following begins near the end, at the beginning of a line', async () => {
    const file = newFile()
    const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`)
    writeFileSync(file, lines.join(''))
    const watching = await watchFile(file, 'line 19999\n')
    const shown = watching.stdout().split('\n').slice(1, -1)
    expect(shown.length).toBeLessThan(10_000)
    expect(lines.slice(-shown.length)).toEqual(shown.map(line => `${line}\n`))
    await watching.stop()
    const whole = await ndx(['watch', '--file', file, '--no-follow'])
    expect(whole.stdout).toBe(header + lines.join(''))
  })
})

describe('standard input', () => {
  const command = `"${process.execPath}" cli/ndx.ts watch`

  test('from a pipe needs no dash', async () => {
    expect((await shell(`echo hello | ${command}`)).stdout).toBe(`${header}hello\n`)
  })

  test('a reader that goes away ends it', async () => {
    const { status, stdout } = await shell(`yes hello | ${command} - | head -n 2`)
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${header}hello\n` })
  })
})

async function watchFile(file: string, shows = ''): Promise<Running> {
  const watching = launch(['watch', '--file', file])
  await until('it is watching', () => watching.stdout().includes(header) && watching.stdout().includes(shows))
  return watching
}
