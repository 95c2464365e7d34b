// `ndx simulate` as its users run it: a small day on an exchange of its own, reconciled, twice the same; one client on an exchange
// that runs; the page, in a real browser where there is one; and what it says when it cannot.
import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writePage } from '#cli/simulate/page.ts'
import { type Report } from '#cli/simulate/report.ts'
import { type Exchange, type Finished, makeFolder, ndx, startExchange } from '../ndx.ts'

const patient = { timeout: 240_000 }
const folder = makeFolder()
const pageFile = join(folder, 'day.html')
const small = ['simulate', '--day', '--scale', '0.0005', '--json']
let finished: Finished
let report: Report

beforeAll(async () => {
  finished = await ndx([...small, '--report', pageFile])
  report = JSON.parse(finished.stdout || '{}') as Report
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a small day on an exchange of its own', () => {
  test('ends reconciled, with everything as planned', () => {
    expect(finished.status, finished.stderr.slice(-2000)).toBe(0)
    expect(report).toMatchObject({ isReconciled: true, isAsPlanned: true, surprises: [] })
    const { sent, accepted, refused, repeated, settled, ledger, differences } = report.reconciliation
    expect(sent).toBe(accepted + refused + repeated)
    expect(settled).toBe(accepted)
    expect([ledger, differences]).toEqual([{ accepted, refused, settled }, []])
    for (const row of report.table) expect(row).toEqual({ ...row, ledger: row.questions })
  })

  test('has every client and service in it, and all kinds of refusals', () => {
    expect(new Set(report.table.map(({ client }) => client)).size).toBe(report.platform.clients)
    const standing = report.figures.filter(({ kind }) => kind === 'standing')
    expect(standing.map(({ published, simulated }) => [published, simulated])).toEqual([
      [98, 98],
      [18, 18],
      [63, 63],
      [4, 4],
      [9, 10],
      [14, 14],
    ])
    expect(report.byService.filter(({ id }) => id !== '-')).toHaveLength(report.platform.services)
    expect(report.notes).toMatchObject({ unasked: [], byExample: [], leftOut: [] })
    expect(report.notes.uncounted.toSorted()).toEqual(['civil-status', 'home-affairs', 'hospital', 'notary'])
    expect(report.byOutcome.map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining([
        'answered',
        'repeated',
        'NDX_RATE_EXCEEDED',
        'NDX_GUESSES_EXCEEDED',
        'NDX_GRANT_EXPIRED',
      ]),
    )
    expect(report.totals.refused).toBeGreaterThan(20)
  })

  test('shows in the ledger who asked about too many people, and who guessed', () => {
    const [most] = report.officers.standOut
    expect(most?.people).toBeGreaterThanOrEqual(30)
    expect(most?.people).toBeGreaterThan(5 * Math.max(1, report.officers.medianPeople))
    expect(report.officers.standOut.filter(({ guessesRefused }) => guessesRefused > 0)).toEqual([
      expect.objectContaining({ people: 1, guessesRefused: 3, questions: 8 }),
    ])
  })

  test('tells its progress hour by hour', () => {
    expect(finished.stderr).toContain(`of ${report.platform.clients} clients`)
    expect(finished.stderr).toMatch(/^08:00–09:00 █+ +\d+ asked, \d+ answered, \d+ refused \(\d+\/s\)$/m)
  })

  test('gives the same table for the same seed', patient, async () => {
    const again = JSON.parse((await ndx(small)).stdout) as Report
    expect(again.table).toEqual(report.table)
    expect(again.figures).toEqual(report.figures)
  })
})

describe('the page', () => {
  const browser = ['chromium', 'chromium-browser', 'google-chrome'].flatMap(findProgram)[0]

  test('is one file of two languages that loads nothing', () => {
    const page = readFileSync(pageFile, 'utf8')
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\s(src|href|srcset)\s*=|url\(|@import/i)
    expect(page.match(/<span lang="vi">/g)?.length).toBe(page.match(/<span lang="en">/g)?.length)
    for (const text of [
      'Đối soát khớp',
      'Reconciled',
      'one-stop-ha-noi',
      'NDX_GUESSES_EXCEEDED',
      '1\u202f600\u202f000',
    ])
      expect(page).toContain(text)
    expect(JSON.parse(readFileSync(join(folder, 'day.json'), 'utf8'))).toEqual(report)
  })

  test('escapes what it shows, and tells what is not so', () => {
    const evil = { client: '<b>x</b>', service: '-', kind: 'ask', wanted: 'a', got: '"&', exchangeId: '\u202e' }
    const page = writePage({ ...report, isReconciled: false, surprises: [evil] })
    expect(page).toContain('&lt;b&gt;x&lt;/b&gt; - ask: a → &quot;&amp; \\u{202e}')
    expect(page).toContain('NOT RECONCILED')
  })

  test('is laid out by a real browser', patient, async context => {
    if (browser === undefined) return context.skip('no chromium, chromium-browser or google-chrome on the path')
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom', pathToFileURL(pageFile).href]
    const { stdout } = await promisify(execFile)(browser, options, { maxBuffer: 64 << 20 })
    expect(stdout.match(/<tr>/g)?.length).toBeGreaterThan(report.table.length)
    expect(stdout).toContain('id="vi" checked')
  })
})

describe('on an exchange that runs', () => {
  let exchange: Exchange
  beforeAll(async () => {
    exchange = await startExchange()
  }, 60_000)
  afterAll(() => exchange?.stop())

  test('one client has the same table as in everybody’s day, as often as it is run', patient, async () => {
    const line = ['simulate', '--client', 'bank', '--scale', '0.0005', '--url', exchange.url, '--json']
    for (const _ of ['first', 'second']) {
      const { status, stdout, stderr } = await ndx([...line, '--ledger', exchange.ledgerUrl], exchange.environment)
      expect(status, stderr).toBe(0)
      const { table } = JSON.parse(stdout) as Report
      expect(table).toEqual(report.table.filter(({ client }) => client === 'bank'))
    }
  })

  test('a rate is told as a table, with the verdict last', patient, async () => {
    const line = ['simulate', '--rate', '20', '--seconds', '2', '--client', 'vneid', '--url', exchange.url]
    const { status, stdout, stderr } = await ndx([...line, '--ledger', exchange.ledgerUrl], exchange.environment)
    expect(status, stderr).toBe(0)
    expect(stdout).toMatch(/^CLIENT +SERVICE +OUTCOME +QUESTIONS +LEDGER$/m)
    expect(stdout).toMatch(/^vneid +population\/identity-verification +answered +(\d+) +\1$/m)
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^Reconciled: /)
  })

  test('another nation is found out, with status 1', patient, async () => {
    const line = ['simulate', '--client', 'vneid', '--scale', '0.00002', '--url', exchange.url]
    const environment = { ...exchange.environment, NDX_NATION_SEED: '9' }
    const { status, stdout } = await ndx([...line, '--ledger', exchange.ledgerUrl], environment)
    expect(status).toBe(1)
    expect(stdout).toContain('planned answered, got another answer than the nation’s')
    expect(stdout).toContain('NDX_NATION_SEED')
  })
})

describe('wrong options', () => {
  test.each([
    [[], 'say what to simulate'],
    [['--rate', '10', '--scale', '0.1'], '--rate goes without'],
    [['--day', '--seconds', '3'], '--seconds goes with --rate'],
    [['--day', '--scale', '2'], '--scale is a number from'],
    [['--client', 'nobody'], 'there is no client “nobody”'],
    [['--day', '--ledger', 'http://127.0.0.1:1'], '--ledger goes with --url'],
  ])('%j are refused', async (args, text) => {
    const { status, stdout, stderr } = await ndx(['simulate', ...args])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(text)
  })

  test('a platform that is not there is told', async () => {
    const { status, stderr } = await ndx(['simulate', '--day', '--url', 'http://127.0.0.1:9'])
    expect(status).toBe(1)
    expect(stderr).toContain('nothing answers at http://127.0.0.1:9')
  })
})

function findProgram(name: string): string[] {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(path => join(path, name))
    .filter(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
