// Files, answers and arguments of any bytes and any depth: the command line says in a sentence what is wrong with them. Five
// thousand levels in ten kilobytes are JSON that can be parsed and not be written again, so no reader may let them in.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DeadLetter } from '#bus/dead-letter.ts'
import { createAuditTable, readEntry } from '#cli/audit-table.ts'
import { readAnswer, readFileWithin } from '#cli/bounded-reading.ts'
import { CommandError } from '#cli/command.ts'
import { toRow } from '#cli/dead-letters.ts'
import { readOperatorKey, readOperators } from '#cli/operators.ts'
import { type ClientId, type ProviderId } from '#contracts/contract.ts'
import { depthMax, readJson } from '#contracts/strict-json.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { createFilledLog, eventOf } from '#tests/ledger/proof-log.ts'
import { makeFolder, ndxHere } from './ndx.ts'

const levels = 5_000
const nested = (value: string, depth = levels): string => `${'['.repeat(depth)}${value}${']'.repeat(depth)}`
const folder = makeFolder()
const at = (name: string): string => join(folder, name)
const key = makeNoteKey(at('data/ledger/log-key'), 'log.example')
const log = createFilledLog(key, 30, 10)
const [note = ''] = [...log.checkpoints(30)].map(head => head.note)
const exchange = '0198c2f0-0000-7000-8000-000000000002'

let server: Server
let url: string
/** To everything that is asked. */
let answer: { status: number; body: string | Buffer }
beforeAll(async () => {
  writeFileSync(at('export'), log.exported())
  makeSecrets(at('data'), { simulatedClients: ['bank' as ClientId], callbackClients: [] })
  server = createServer((_, response) => void response.writeHead(answer.status).end(answer.body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const ndx = (args: string[], input?: string | Buffer) =>
  ndxHere(args, { NDX_DATA_DIR: at('data'), NDX_LEDGER_URL: url, NDX_URL: url, NDX_OPERATIONS_URL: url }, input)

describe('JSON that is nested too deep', () => {
  test('is none', () => {
    expect(readJson(nested('1', depthMax))).toBeDefined()
    expect(readJson(nested('1', depthMax + 1))).toBeUndefined()
    for (const text of ['', '{', 'x', nested('', levels).slice(0, levels), `{"a":${nested('1')}}`])
      expect(readJson(text)).toBeUndefined()
  })

  test('in an export is a bad entry, and a difference like any other', async () => {
    const deep = log.exported().replace(eventOf(4), `{"v":${nested('1')}}`)
    expect(await ndx(['audit', 'verify', '-'], deep)).toEqual({
      status: 1,
      stdout: 'bad: entry 4 is not what its hash says\nfirst bad entry: 4 (line 9)\n',
      stderr: '',
    })
    expect(await ndx(['audit', 'diff', at('export'), '-'], deep)).toEqual({
      status: 1,
      stdout: 'entry 4: one of them is no entry\n',
      stderr: '',
    })
  })

  const deepBody = (body: string) => {
    answer = { status: 200, body }
  }

  test.each<[string, string[], string, RegExp]>([
    ['reconcile', ['audit', 'reconcile'], `{"providers":[],"gaps":[{"kind":${nested('1')}}]}`, /is not a ledger/],
    ['story', ['audit', 'story', exchange], `{"story":[{"client":${nested('1')}}]}`, /is not a ledger/],
    ['counters', ['counters'], `{"counts":[{"client":${nested('1')}}]}`, /gave no counters/],
    ['token', ['token', 'bank'], `{"issuer":"x","a":${nested('1')}}`, /is not an NDX gateway/],
  ])('is no answer to %s', async (_, args, body, why) => {
    deepBody(body)
    const { status, stdout, stderr } = await ndx(args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(why)
  })

  test('is no request', async () => {
    const { status, stderr } = await ndx(['ask', 'bank', 'population/citizen-record', '--data', nested('1')])
    expect(status).toBe(2)
    expect(stderr).toMatch(/^ndx ask: --data is not JSON, or nested deeper than 32: \[\[/)
  })

  test('in a log is shown as the text that it is', () => {
    const text = `{"event":"exchange","client":${nested('1')}}`
    const entry = readEntry({ text, isCut: false })
    expect(entry).toEqual({ kind: 'text', text })
    expect(createAuditTable({ columns: 80, paint: (_, shown) => shown }).row(entry)).toHaveLength(81)
  })
})

test('a dead letter of a time beyond all dates has none', () => {
  const lastMs = Number.MAX_SAFE_INTEGER
  const letter: DeadLetter = {
    ...{ id: 'tax-0-1', provider: 'tax' as ProviderId, topic: 'ndx.request.tax', partition: 0, offset: '1' },
    ...{ attempts: 1, code: 'HANDLER_FAILED', firstMs: lastMs, lastMs },
  }
  expect(toRow({ letter, steps: [] }, '-')).toEqual([
    'tax-0-1',
    'ndx.request.tax/0/1',
    '-',
    '1',
    'HANDLER_FAILED',
    '-',
    '-',
  ])
})

describe('any bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map(part => Buffer.from(part))
  const start = fc.constantFrom(
    '',
    'ndx-export/v1\n',
    'ndx-receipt/v1\n',
    'ndx-receipt/v1\norigin log.example\nexchange x\n',
  )

  test('verified are bad, and never a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(start, bytes, async (head, rest) => {
        const { status, stdout, stderr } = await ndx(['audit', 'verify', '-'], Buffer.concat([Buffer.from(head), rest]))
        expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
        expect(stdout).toMatch(/^bad: [^\p{C}]+\n(found in line \d+\n|first bad entry: [^\p{C}]+\n)?$/u)
      }),
      { numRuns: 200 },
    )
  })

  test('in place of a key or a checkpoint are a hint', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async content => {
        writeFileSync(at('any'), content)
        for (const args of [
          ['--key', at('any')],
          ['--witness', at('any')],
        ]) {
          const { status, stderr } = await ndx(['audit', 'verify', at('export'), ...args])
          expect(status).toBe(2)
          expect(stderr).toMatch(/^ndx audit: --(key|witness) names neither/)
        }
        const { status } = await ndx(['audit', 'verify', at('export'), '--checkpoint', at('any')])
        expect([1, 2]).toContain(status)
      }),
      { numRuns: 50 },
    )
  })

  test('answered to a question are a sentence', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(200, 404, 500), async (body, status) => {
        answer = { status, body }
        for (const args of [['prove', exchange], ['checkpoint'], ['reconcile'], ['story', exchange]]) {
          const ran = await ndx(['audit', ...args])
          expect(ran.status).toBe(1)
          expect(ran.stderr).not.toContain('a fault nobody foresaw')
          expect(ran.stdout + ran.stderr).toMatch(/^(bad|ndx audit): /)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('in place of an operator’s key are named', () => {
    mkdirSync(at('data/operators'), { recursive: true })
    for (const name of ['lan.pub', 'lan.key']) writeFileSync(at(`data/operators/${name}`), 'no key')
    expect(() => readOperators(at('data'))).toThrow(/lan\.pub holds no key of an operator/)
    expect(() => readOperatorKey(at('data'), 'lan')).toThrow(CommandError)
  })

  test('in place of a client’s key are named', async () => {
    writeFileSync(at('data/clients/bank.private.json'), 'no key', { mode: 0o600 })
    const { status, stderr } = await ndx(['token', 'bank'])
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ndx token: the key of bank in .* is no JSON/)])
  })
})

describe('what is read whole', () => {
  test('is read no further than its bound', async () => {
    expect(() => readFileWithin('/dev/zero', 1_000_000)).toThrow(/is longer than 1000000 bytes/)
    expect(readFileWithin(at('export'), log.exported().length * 2).toString('utf8')).toBe(log.exported())
    await expect(readAnswer(new Response('x'.repeat(11)), 10)).rejects.toThrow(CommandError)
    expect(await readAnswer(new Response('ồ'.repeat(3)), 9)).toBe('ồồồ')
    answer = { status: 200, body: 'x'.repeat(70_000) }
    expect(await ndx(['audit', 'checkpoint'])).toMatchObject({
      status: 1,
      stderr: 'ndx audit: an answer is longer than 65536 bytes, which none is.\n',
    })
  })

  test('is a key also with the line ends and the mark that mail and Windows add', async () => {
    const pub = readFileSync(at('data/ledger/log-key.pub'), 'utf8')
    for (const content of [pub.trimEnd(), `\ufeff${pub}`, pub.replace('\n', '\r\n'), `${pub}\n`]) {
      writeFileSync(at('mailed.pub'), content)
      expect(await ndx(['audit', 'verify', at('export'), '--key', at('mailed.pub')])).toMatchObject({ status: 0 })
    }
  })

  test.each([
    ['\ufeff', /--checkpoint: the file begins with a byte order mark/],
    ['\r', /--checkpoint: the file has Windows line ends/],
  ])('is a checkpoint only as it was signed: %j is named', async (what, why) => {
    writeFileSync(at('head'), what === '\r' ? note.replaceAll('\n', '\r\n') : what + note)
    const { status, stderr } = await ndx(['audit', 'verify', at('export'), '--checkpoint', at('head')])
    expect([status, stderr]).toEqual([2, expect.stringMatching(why)])
  })
})
