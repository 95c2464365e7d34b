// `ndx audit`: files verified offline, a ledger asked over HTTP and not believed, and what scripts get: status and standard output.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { formatVerifierKey, makeNoteKey } from '#ledger/notes/keys.ts'
import { writeReceipt } from '#ledger/proof/receipt.ts'
import { createFilledLog, eventOf } from '#tests/ledger/proof-log.ts'
import { makeFolder, ndxHere, ndx as ndxProcess } from './ndx.ts'

const folder = makeFolder()
const at = (name: string): string => join(folder, name)
const key = makeNoteKey(at('data/ledger/log-key'), 'log.example')
const witness = makeNoteKey(at('w1'), 'w1.example', 'witness')
const other = makeNoteKey(at('other'), 'other.example')
const log = createFilledLog(key, 30, 10, [witness])
const [note = ''] = [...log.checkpoints(30)].map(head => head.note)
const exchange = '0198c2f0-0000-7000-8000-000000000002'
const entries = [6, 7, 8].map(index => ({ index, entry: log.list[index] ?? '' }))
const receipt = writeReceipt({ origin: log.origin, exchange, entries, note, size: 30, nodes: log.nodes })
const reconciliation = {
  caughtUpMs: 1_767_225_600_000,
  accepted: 10,
  settled: 9,
  open: 1,
  overdue: 0,
  refused: 2,
  providers: [
    { provider: 'population', client: 'bank', accepted: 10, answered: 8, failed: 1, expired: 0, open: 1, overdue: 0 },
  ],
  gaps: [] as object[],
}

let server: Server
let ledgerUrl: string
let answers: Record<string, { status?: number; body: string; isCut?: boolean }>
const ndx = (args: string[], environment: Record<string, string> = {}, input?: string) =>
  ndxHere(['audit', ...args], { NDX_DATA_DIR: at('data'), NDX_LEDGER_URL: ledgerUrl, ...environment }, input)

beforeAll(async () => {
  writeFileSync(at('export'), log.exported())
  writeFileSync(at('receipt'), receipt)
  writeFileSync(at('checkpoint'), note)
  server = createServer((request, response) => {
    const { status = 404, body, isCut } = answers[request.url ?? ''] ?? { body: '{"error":"unknown"}' }
    response.writeHead(status)
    if (isCut === true) response.write(body, () => response.destroy())
    else response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ledgerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  answers = {
    [`/v1/audit/proof/inclusion?exchange=${exchange}`]: { status: 200, body: receipt },
    '/v1/audit/export?from=0': { status: 200, body: log.exported() },
    '/v1/audit/export?from=20': { status: 200, body: log.exported(20) },
    '/v1/audit/checkpoint': { status: 200, body: note },
    '/v1/audit/reconciliation': { status: 200, body: JSON.stringify(reconciliation) },
  }
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('verify', () => {
  const exportIsRight = 'ok: entries 0 to 29 of log.example are as it signed them (3 checkpoints, the last of 30)\n'

  test('finds an export right, in a process of its own and offline', async () => {
    expect(await ndxProcess(['audit', 'verify', at('export'), '--key', at('data/ledger/log-key.pub')])).toMatchObject({
      status: 0,
      stdout: exportIsRight,
    })
  })

  test('takes the key of the data directory, a file, or the key itself; the export from a file or standard input', async () => {
    const right = { status: 0, stdout: exportIsRight, stderr: '' }
    expect(await ndx(['verify', at('export')])).toEqual(right)
    expect(await ndx(['verify', '-', '--key', formatVerifierKey(key.verifier)], {}, log.exported())).toEqual(right)
  })

  test('asks for cosignatures of the witnesses named', async () => {
    const { stdout } = await ndx(['verify', at('export'), '--witness', at('w1.pub')])
    expect(stdout).toContain('the last of 30, cosigned by w1.example)\n')
    const w2 = formatVerifierKey(makeNoteKey(at('w2'), 'w2.example', 'witness').verifier)
    expect(await ndx(['verify', at('export'), '--witness', at('w1.pub'), '--witness', w2])).toEqual({
      status: 1,
      stdout: 'bad: 1 of the known witnesses cosigned the checkpoint of 30, not 2\nfound in line 37\n',
      stderr: '',
    })
    const oneOfTwo = ['verify', at('export'), '--witness', at('w1.pub'), '--witness', w2, '--cosigned', '1']
    expect(await ndx(oneOfTwo)).toMatchObject({ status: 0 })
  })

  test('names the first bad entry, with status 1', async () => {
    writeFileSync(at('bad'), log.exported().replace('"at":1767225600017', '"at":1767225600018'))
    expect(await ndx(['verify', at('bad')])).toEqual({
      status: 1,
      stdout: 'bad: entry 17 is not what its hash says\nfirst bad entry: 17 (line 23)\n',
      stderr: '',
    })
  })

  test('says among which entries one is bad when it cannot say which', async () => {
    const content = (index: number): string => log.exported().match(new RegExp(`^${index} (.*)$`, 'm'))?.[1] ?? ''
    const moved = log
      .exported()
      .replace(content(17), 'x')
      .replace(content(18), content(17))
      .replace('17 x', `17 ${content(18)}`)
    expect(await ndx(['verify', '-'], {}, moved)).toEqual({
      status: 1,
      stdout:
        'bad: the signed checkpoint of 20 has another root than its entries\nfirst bad entry: one of 10 to 19 (line 26)\n',
      stderr: '',
    })
  })

  test('finds a cut end by a checkpoint from elsewhere', async () => {
    writeFileSync(at('cut'), createFilledLog(key, 20, 10).exported())
    expect(await ndx(['verify', at('cut')])).toMatchObject({ status: 0 })
    expect(await ndx(['verify', at('cut'), '--checkpoint', at('checkpoint')])).toEqual({
      status: 1,
      stdout: 'bad: the checkpoint given covers 30 entries; the export ends after 20\nfirst bad entry: 20 (line 26)\n',
      stderr: '',
    })
  })

  test('knows a receipt by its first line', async () => {
    expect(await ndx(['verify', at('receipt'), '--witness', at('w1.pub')])).toEqual({
      status: 0,
      stdout: `ok: 3 events of ${exchange} are in log.example (checkpoint of 30, cosigned by w1.example)\n`,
      stderr: '',
    })
    expect(await ndx(['verify', '-'], {}, receipt.replace('"client":"bank"', '"client":"bonk"'))).toEqual({
      status: 1,
      stdout: 'bad: entry 6 is not in the log of 30 entries as it stands here\nfirst bad entry: 6 (line 4)\n',
      stderr: '',
    })
    for (const [input, why] of [
      [receipt.slice(0, -1), 'all is as it was signed, but the end of line 16, the last, is missing'],
      [receipt.slice(0, 60), 'the file ends in the middle of line 3: it was cut'],
      [receipt.replaceAll('\n', '\r\n'), 'the file has Windows line ends (CRLF) from line 1: convert it back'],
      [
        receipt.normalize('NFD'),
        'entry 6 is not in the log of 30 entries as it stands here: its letters were taken apart',
      ],
      [receipt.slice(0, receipt.indexOf('\n\n') + 1), 'the receipt ends before its checkpoint: it was cut'],
    ] as const) {
      const { status, stdout, stderr } = await ndx(['verify', '-'], {}, input)
      expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
      expect(stdout).toContain(`bad: ${why}`)
    }
    expect(await ndx(['verify', at('receipt'), '--checkpoint', at('checkpoint')])).toMatchObject({ status: 2 })
  })

  test('shows nothing of a file that could steer a terminal', async () => {
    const { status, stdout } = await ndx(['verify', '-'], {}, `ndx-export/v1\norigin \u001b[31m\u202e\n`)
    expect(status).toBe(1)
    expect(stdout).toMatch(/^bad: the key is of log\.example; the export says [^\p{C}]*\nfound in line 2\n$/u)
  })

  test.each([[''], ['nonsense\n'], ['nonsense'], ['ndx-export/v1\n'], [Buffer.of(0xff, 0x0a).toString('latin1')]])(
    'of %j is bad, not a fault',
    async input => {
      expect(await ndx(['verify', '-'], {}, input)).toMatchObject({
        status: 1,
        stderr: '',
        stdout: expect.stringMatching(/^bad: /),
      })
    },
  )

  test.each<[string, string[]]>([
    ['a file that is not there', ['verify', at('none')]],
    ['a folder', ['verify', folder]],
    ['no file', ['verify']],
    ['two files', ['verify', at('export'), at('export')]],
    ['a key that is none', ['verify', at('export'), '--key', 'x+y+z']],
    ['a witness’s key for the log’s', ['verify', at('export'), '--key', at('w1.pub')]],
    ['a log’s key for a witness’s', ['verify', at('export'), '--witness', at('other.pub')]],
    ['more cosignatures than witnesses', ['verify', at('export'), '--witness', at('w1.pub'), '--cosigned', '2']],
    ['a checkpoint that is not there', ['verify', at('export'), '--checkpoint', at('none')]],
    ['an action that is none', ['very', at('export')]],
    ['one export to compare', ['diff', at('export')]],
    ['an argument too many', ['checkpoint', 'x']],
    ['a beginning that is no number', ['export', '--from', '01']],
    ['an address that is none', ['checkpoint', '--ledger', 'localhost']],
  ])('%s is status 2 and a hint', async (_, args) => {
    const { status, stdout, stderr } = await ndx(args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^ndx audit: .+\nSee: npx ndx audit --help\n$/)
  })

  test('without a key says where it looked', async () => {
    const { status, stderr } = await ndx(['verify', at('export')], { NDX_DATA_DIR: at('nowhere') })
    expect(status).toBe(2)
    expect(stderr).toContain('nowhere/ledger/log-key.pub; name the log’s verifier key, or its file, with --key.')
  })

  test('verifies twenty thousand entries', async () => {
    writeFileSync(at('large'), createFilledLog(key, 20_000, 1000).exported())
    expect(await ndx(['verify', at('large')])).toMatchObject({ status: 0 })
  })
})

describe('diff', () => {
  test('names the first entry that differs', async () => {
    writeFileSync(at('changed'), log.exported().replace(eventOf(4), eventOf(4, { client: 'tax-office' })))
    expect(await ndx(['diff', at('export'), at('changed')])).toEqual({
      status: 1,
      stdout: 'entry 4: client: "bank" in a, "tax-office" in b\n',
      stderr: '',
    })
    expect(await ndx(['diff', at('export'), '-'], {}, log.exported(10))).toEqual({
      status: 0,
      stdout: 'the same entries\n',
      stderr: '',
    })
  })

  test('of what is no export is status 2', async () => {
    expect(await ndx(['diff', at('export'), at('receipt')])).toMatchObject({ status: 2, stdout: '' })
    expect(await ndx(['diff', '-', '-'])).toMatchObject({ status: 2, stdout: '' })
    const { status, stderr } = await ndx(['diff', at('export'), '-'], {}, log.exported().replaceAll('\n', '\r\n'))
    expect([status, stderr.split('\n')[0]]).toEqual([
      2,
      'ndx audit: standard input: the file has Windows line ends (CRLF) from line 1: convert it back, or export it again',
    ])
  })
})

describe('prove', () => {
  test('prints the events of an exchange, verified, and keeps the receipt', async () => {
    const { status, stdout, stderr } = await ndx(['prove', exchange, '--witness', at('w1.pub'), '--out', at('kept')])
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `ok: 3 events of ${exchange} are in log.example (checkpoint of 30, cosigned by w1.example)\n`,
    })
    const [head = '', ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^ENTRY {2}TIME {2,}KIND {2,}SOURCE {2,}DETAILS/)
    expect(rows.map(row => row.trim().split(/ {2,}/))).toEqual(
      [
        ['6', '2026-01-01T00:00:00.006Z', 'accepted', '/gateway/g1'],
        ['7', '2026-01-01T00:00:00.007Z', 'answered', '/adapter/population/a'],
        ['8', '2026-01-01T00:00:00.008Z', 'delivered', '/gateway/g1'],
      ].map(row => [
        ...row,
        'client=bank fields=fullName,dateOfBirth title=hồ sơ số 1'.replace(
          'dateOfBirth,fullName',
          'fullName,dateOfBirth',
        ),
      ]),
    )
    expect(await ndx(['verify', at('kept')])).toMatchObject({ status: 0 })
  })

  test('does not believe the ledger', async () => {
    const path = `/v1/audit/proof/inclusion?exchange=${exchange}`
    answers[path] = { status: 200, body: receipt.replace('"client":"bank"', '"client":"bonk"') }
    expect(await ndx(['prove', exchange])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^bad: entry 6 is not in the log/),
    })
    const others = [9, 10, 11].map(index => ({ index, entry: log.list[index] ?? '' }))
    const another = exchange.replace(/2$/, '3')
    const body = writeReceipt({
      origin: log.origin,
      exchange: another,
      entries: others,
      note,
      size: 30,
      nodes: log.nodes,
    })
    answers[path] = { status: 200, body }
    expect(await ndx(['prove', exchange])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'ndx audit: the ledger sent the receipt of another exchange.\n',
    })
  })

  test('of an unknown exchange says so; of a ledger that is not there, where it is looked for', async () => {
    expect(await ndx(['prove', 'unknown'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/has nothing of that yet/),
    })
    expect(await ndx(['prove', exchange, '--ledger', 'http://127.0.0.1:1'])).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'ndx audit: nothing answers at http://127.0.0.1:1.\nRun `npm start`, or name the ledger with --ledger or NDX_LEDGER_URL.\n',
    })
  })
})

describe('export', () => {
  test('prints the log, or writes it to a file that can be verified', async () => {
    expect(await ndx(['export'])).toEqual({ status: 0, stdout: log.exported(), stderr: '' })
    const { status, stdout, stderr } = await ndx(['export', '--from', '20', '--out', at('tail')])
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: '',
      stderr: `npx ndx audit verify ${at('tail')} verifies it\n`,
    })
    expect((await ndx(['verify', at('tail')])).stdout).toBe(
      'ok: entries 20 to 29 of log.example are as it signed them (2 checkpoints, the last of 30)\n',
    )
  })

  test('that breaks off leaves what was there', async () => {
    writeFileSync(at('whole'), 'before')
    answers['/v1/audit/export?from=0'] = { status: 200, body: log.exported().slice(0, 1000), isCut: true }
    expect(await ndx(['export', '--out', at('whole')])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/broke off before its end/),
    })
    expect([readFileSync(at('whole'), 'utf8'), existsSync(at('whole.part'))]).toEqual(['before', false])
    expect(await ndx(['export', '--out', at('none/file')])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ENOENT/),
    })
  })
})

describe('checkpoint', () => {
  test('prints the signed head, and who signed it', async () => {
    expect(await ndx(['checkpoint', '--witness', at('w1.pub')])).toEqual({
      status: 0,
      stdout: note,
      stderr: '30 entries, signed by log.example, w1.example\n',
    })
  })

  test('that the log did not sign is not printed; without its cosignatures it is status 1', async () => {
    const w3 = formatVerifierKey(makeNoteKey(at('w3'), 'w3.example', 'witness').verifier)
    expect(await ndx(['checkpoint', '--witness', w3])).toMatchObject({ status: 1, stdout: note })
    mkdirSync(at('elsewhere/ledger'), { recursive: true })
    copyFileSync(at('other.pub'), at('elsewhere/ledger/log-key.pub'))
    expect(await ndx(['checkpoint'], { NDX_DATA_DIR: at('elsewhere') })).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/is not right: no known key of log\.example/),
    })
    expect(other.verifier.name).toBe('other.example')
  })
})

describe('reconcile', () => {
  test('prints totals and providers; no gaps are status 0', async () => {
    const { status, stdout, stderr } = await ndx(['reconcile'])
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'no gaps: all that was accepted is settled, or open within its deadline\n',
    })
    expect(stdout.split('\n').map(line => line.trim().split(/ {2,}/))).toEqual([
      ['UP TO', 'ACCEPTED', 'SETTLED', 'OPEN', 'OVERDUE', 'REFUSED'],
      ['2026-01-01T00:00:00.000Z', '10', '9', '1', '0', '2'],
      [''],
      ['PROVIDER', 'CLIENT', 'ACCEPTED', 'ANSWERED', 'FAILED', 'EXPIRED', 'OPEN', 'OVERDUE'],
      ['population', 'bank', '10', '8', '1', '0', '1', '0'],
      [''],
    ])
  })

  test('gaps are listed, with status 1', async () => {
    const gap = { exchange, kind: 'unsettled', detail: 'overdue by 7 s' }
    answers['/v1/audit/reconciliation'] = { status: 200, body: JSON.stringify({ ...reconciliation, gaps: [gap] }) }
    const { status, stdout, stderr } = await ndx(['reconcile'])
    expect({ status, stderr }).toEqual({ status: 1, stderr: '1 gaps\n' })
    expect(stdout).toContain(`${exchange}  unsettled  overdue by 7 s\n`)
  })

  test.each(['nonsense', '{}', '{"providers":[]}', '[]'])('an answer like %s is no ledger’s', async body => {
    answers['/v1/audit/reconciliation'] = { status: 200, body }
    expect(await ndx(['reconcile'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/gave no reconciliation/),
    })
  })

  test('a ledger in trouble is named with its status', async () => {
    answers['/v1/audit/reconciliation'] = { status: 503, body: 'not caught up' }
    expect(await ndx(['reconcile'])).toMatchObject({
      status: 1,
      stderr: `ndx audit: the ledger at ${ledgerUrl} answered 503: not caught up\n`,
    })
  })
})
