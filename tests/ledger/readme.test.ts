// ledger/README.md's walk-through for an auditor, run as it stands, in a folder where an exchange has run; and what it promises:
// that an export with one letter edited, two lines swapped or one dropped is found out, and where.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { readBlocks, root } from '#tests/documents.ts'
import { freePort } from '#tests/integration/processes.ts'
import { type Ran, run, start } from '#tests/shell.ts'

const blocks = readBlocks('ledger/README.md')
const folder = mkdtempSync(join(tmpdir(), 'ndx-audit-'))
const ndx = `node ${join(root, 'cli/ndx.ts')}`
const question = 'ask social-insurance population/citizen-record'
const patient = { timeout: 60_000 }
let environment: Record<string, string>
let exchange: Awaited<ReturnType<typeof start>>
let exchangeId: string

beforeAll(async () => {
  await startExchange()
  await runHere('npx ndx ask bank population/citizen-record')
  await runHere(`npx ndx ${question}`)
  exchangeId = JSON.parse((await runHere(`npx ndx ${question}`)).stdout).exchangeId
  await until('all that happened is cosigned', isCosigned)
}, 120_000)
afterAll(async () => {
  await exchange?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function startExchange(): Promise<void> {
  const [port, operationsPort, ledgerPort] = await Promise.all([freePort(), freePort(), freePort()])
  const ports = {
    NDX_PORT: String(port),
    NDX_OPERATIONS_PORT: String(operationsPort),
    NDX_LEDGER_PORT: String(ledgerPort),
    NDX_EVENT_LOOP_DELAY_MAX_MS: '60000',
  }
  exchange = await start(`${ndx} start`, printed => printed.includes('Ctrl-C stops'), {
    cwd: folder,
    environment: ports,
  })
  environment = { NDX_URL: `http://127.0.0.1:${port}`, NDX_LEDGER_URL: `http://127.0.0.1:${ledgerPort}` }
}

const runHere = (command: string): Promise<Ran> =>
  run(command.replaceAll('npx ndx', ndx).replaceAll('<exchange id>', exchangeId), { cwd: folder, environment })

/** The last exchange's last event is under a head that the witness has cosigned, so nothing more is to come. */
async function isCosigned(): Promise<boolean> {
  const url = environment['NDX_LEDGER_URL']
  const answers = [`proof/inclusion?exchange=${exchangeId}`, 'checkpoint'].map(path => fetch(`${url}/v1/audit/${path}`))
  const [receipt = '', note = ''] = await Promise.all(answers.map(async answer => (await answer).text()))
  return receipt.includes('"kind":"delivered"') && note.includes('-witness ') && receipt.endsWith(note)
}

const blockOf = (marker: string): string => blocks.find(block => block.marker === `run: ${marker}`)?.text ?? 'false'

describe('the walk-through', () => {
  test.each([
    ['export', '', /entries, signed by ndx.example\/ledger\n/],
    [
      'verify',
      /^ok: entries 0 to \d+ of .* are as it signed them .*, cosigned by ndx.example\/ledger-witness\)\n$/,
      '',
    ],
    [
      'prove',
      /^ENTRY +TIME +KIND[\s\S]* accepted [\s\S]* answered [\s\S]* delivered [\s\S]*\nok: \d+ events of /,
      'ok: ',
    ],
    ['reconcile', /^UP TO [\s\S]*social-insurance/, 'no gaps'],
    ['tiles', /^ndx\.example\/ledger\n\d+\n[\s\S]*\n\n— ndx\.example\/ledger \S+\n[\s\S]*\{"[^\n]*\}$/, ''],
  ])('%s', patient, async (marker, stdout, stderr) => {
    const ran = await runHere(blockOf(marker))
    expect(ran, ran.stderr).toMatchObject({ status: 0 })
    expect(ran.stdout).toMatch(stdout)
    expect(ran.stderr).toMatch(stderr)
  })

  test('every command of it was run here', () => {
    const marked = blocks.filter(({ language }) => language === 'sh').map(({ marker }) => marker)
    expect(marked).toEqual([
      'run: export',
      'run: verify',
      'run: prove',
      'run: reconcile',
      'run: tiles',
      'run: backup',
      'run: restore',
      'run: succeed',
      'run: verify both',
    ])
  })
})

describe('an export of which', () => {
  const index = 3
  type Change = (lines: string[], at: number) => string[]
  const verifyChanged = async (change: Change): Promise<Ran & { at: number }> => {
    const lines = readFileSync(join(folder, 'day.ndx'), 'utf8').split('\n')
    const at = lines.findIndex(line => line.startsWith(`${index} `))
    writeFileSync(join(folder, 'edited.ndx'), change(lines, at).join('\n'))
    return { ...(await runHere(blockOf('verify').replace('day.ndx', 'edited.ndx'))), at }
  }

  test.each<[string, Change]>([
    ['one letter is edited', (lines, at) => lines.with(at, (lines[at] ?? '').replace('"kind":"', '"kind":"x'))],
    ['two lines are swapped', (lines, at) => lines.with(at, lines[at + 1] ?? '').with(at + 1, lines[at] ?? '')],
    ['one line is dropped', (lines, at) => lines.toSpliced(at, 1)],
  ])('%s does not verify, and the entry is named', patient, async (_, change) => {
    const { status, stdout, at } = await verifyChanged(change)
    expect(status).toBe(1)
    expect(stdout).toMatch(new RegExp(`^bad: .*\nfirst bad entry: ${index} \\(line ${at + 1}\\)\n$`))
  })

  test('the end is cut does not verify', patient, async () => {
    const { status, stdout } = await verifyChanged((lines, at) => [...lines.slice(0, at), ''])
    expect(status).toBe(1)
    expect(stdout).toMatch(/^bad: /)
  })
})

describe('what an operator does', () => {
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

  test('a backup is restored, and the log goes on', patient, async () => {
    expect((await runHere(blockOf('backup'))).stdout).toMatch(/backups.*\.sqlite\n$/)
    await exchange.stop()
    expect(await runHere(blockOf('restore'))).toMatchObject({ status: 0 })
    await startExchange()
    exchangeId = JSON.parse((await runHere(`npx ndx ${question}`)).stdout).exchangeId
    await until('what came after is cosigned', isCosigned)
    expect((await runHere(`${blockOf('export')}${blockOf('verify')}`)).stdout).toContain('ok: entries 0 to')
  })

  test('after a loss a successor goes on, and both logs verify', patient, async () => {
    await exchange.stop()
    await runHere(blockOf('restore'))
    const begun = await runHere(blockOf('succeed'))
    expect(begun, begun.stderr).toMatchObject({ status: 0, stdout: read('data/ledger/log-key.pub') })
    await startExchange()
    exchangeId = JSON.parse((await runHere(`npx ndx ${question}`)).stdout).exchangeId
    await until('the successor is cosigned', isCosigned)
    const { status, stdout, stderr } = await runHere(blockOf('verify both'))
    expect(status, stdout + stderr).toBe(0)
    expect(stdout).toMatch(
      /of ndx\.example\/ledger are as it signed.*of ndx\.example\/ledger\/2 are as it signed.*it succeeds ndx\.example\/ledger, which ended with .*: disk lost on 3 May/s,
    )
  })
})
