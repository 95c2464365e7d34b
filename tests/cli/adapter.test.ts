// `ndx adapter` as it is called: our own adapters on the embedded bus, the report as JSON, and what a wrong line gets. What `new`
// writes is tested in tests/adapter-kit.test.ts, adapters over Kafka in tests/integration/.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AdapterProcess } from '#cli/adapter-process.ts'
import { checkNames, type Report } from '#conformance/report.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { until } from '#tests/bus/until.ts'
import { ndxHere as ndx } from './ndx.ts'

const { providers } = loadRegistry({ idScheme: 'simulated' })
const slowMs = 120_000

test.each(providers)('%s is conformant', { timeout: slowMs }, async provider => {
  const { status, stdout, stderr } = await ndx(['adapter', 'check', provider, '--json'])
  const { findings, ...rest } = JSON.parse(stdout) as Report
  expect(findings.filter(({ result }) => result === 'fault')).toEqual([])
  expect({ status, ...rest }).toEqual({ status: 0, provider, isConformant: true })
  expect([...new Set(findings.map(({ check }) => check))].toSorted()).toEqual([...checkNames].toSorted())
  expect(stderr).toContain(`checking ${provider}: crash\n`)
  expect(stderr).toMatch(new RegExp(`^${provider} is conformant: \\d+ ok, 0 faults, \\d+ skipped$`, 'm'))
})

describe('a line that is wrong', () => {
  const see = 'See: npx ndx adapter --help\n'
  const naming = 'a service is named <provider>/<service>, in small letters, digits and hyphens, at most 60 characters.'
  test.each<[string[], number, string]>([
    [['make', 'a/b'], 2, `ndx adapter: adapter takes new or check.\n${see}`],
    [['new', 'Land/parcel'], 2, `ndx adapter: ${naming}\n${see}`],
    [['new', '../etc/x'], 2, `ndx adapter: ${naming}\n${see}`],
    [['check', 'a/b/c'], 2, `ndx adapter: ${naming}\n${see}`],
    [['new', 'land'], 2, `ndx adapter: new takes <provider>/<service>.\n${see}`],
    [['new', 'agreements/x'], 2, `ndx adapter: agreements is the folder of the clients, not a provider.\n${see}`],
    [['new', 'a/b', '--agency', 'x'], 2, `ndx adapter: --agency is an official code, like G15 or G12.18.\n${see}`],
    [['check', 'a', '--wait', '0'], 2, `ndx adapter: --wait is a whole number of seconds, from 1 to 999.\n${see}`],
    [
      ['check', 'population', '--command', 'x'],
      2,
      `ndx adapter: --command needs NDX_KAFKA_BROKERS: a process of its own does not reach the embedded bus.\n${see}`,
    ],
    [
      ['check', 'weather'],
      1,
      `ndx adapter: no contract names weather. Providers: ${providers.join(', ')}\nA new one: npx ndx adapter new <provider>/<service>; contracts of your own: NDX_CONTRACTS_DIR.\n`,
    ],
  ])('%j', async (line, status, stderr) => {
    expect(await ndx(['adapter', ...line])).toEqual({ status, stdout: '', stderr })
  })

  test('of a provider whose handlers are elsewhere says how it is asked', async () => {
    const contracts = join(import.meta.dirname, '../foreign/contracts')
    const { status, stderr } = await ndx(['adapter', 'check', 'notary'], { NDX_CONTRACTS_DIR: contracts })
    expect(status).toBe(1)
    expect(stderr).toContain('there are no handlers in services/notary.\nAn adapter of its own is asked over Kafka')
  })

  test('without a broker that answers says so', { timeout: slowMs }, async () => {
    const { status, stderr } = await ndx(['adapter', 'check', 'population'], { NDX_KAFKA_BROKERS: '127.0.0.1:1' })
    expect(status).toBe(1)
    expect(stderr).toContain('ndx adapter: no broker of 127.0.0.1:1 answers')
  })
})

describe('an adapter that was started by a line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ndx-adapter-process-'))
  const environment = { PATH: process.env['PATH'] }
  /** Writes its process id, and one more line when it is asked to stop. */
  const patient = `sh -c 'trap "echo asked >>${folder}/log; exit 0" TERM; echo $$ >${folder}/pid; echo up; while :; do sleep 0.05; done' && true`
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const pidOf = (): number => Number(readFileSync(join(folder, 'pid'), 'utf8'))

  test('is killed with all that it started, and can be started again', async () => {
    const adapter = new AdapterProcess(patient, environment)
    await adapter.start()
    await until('it is up', () => adapter.output().includes('up'))
    const pid = pidOf()
    expect(isAlive(pid)).toBe(true)
    await adapter.kill()
    await until('it is gone', () => !isAlive(pid))
    expect(existsSync(join(folder, 'log'))).toBe(false)
    await adapter.start()
    await until('it is up again', () => adapter.output().includes('up\nup'))
    expect(pidOf()).not.toBe(pid)
    await adapter.stop()
    await until('it is gone too', () => !isAlive(pidOf()))
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('asked\n')
    rmSync(folder, { recursive: true })
  })

  test('and ended by itself tells how, and what it said', async () => {
    const adapter = new AdapterProcess('echo no >&2; exit 7', environment)
    await adapter.start()
    await until('it has ended', () => adapter.ended() !== undefined)
    expect([adapter.ended(), adapter.output()]).toEqual(['ended with 7', 'no\n'])
    await adapter.stop()
  })
})
