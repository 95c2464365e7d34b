// Commands that need no running exchange: people and enterprises, clients and services, secrets, topics without a broker.
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { makeFolder, ndx, shell } from './ndx.ts'

const nation = createNation({ seed: 1 })
const registry = loadRegistry({ idScheme: 'simulated' })
const folder = makeFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('person and enterprise', () => {
  test.each([0, 4711, 99_999_999])('person %i is one line of JSON', async n => {
    const { status, stdout, stderr } = await ndx(['person', String(n)])
    expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({ status: 0, stderr: '', lines: 2 })
    expect(JSON.parse(stdout)).toEqual(nation.person(n))
  })

  test('a nation of another seed has other people', async () => {
    const { stdout } = await ndx(['person', '5'], { NDX_NATION_SEED: '7' })
    expect(JSON.parse(stdout)).toEqual(createNation({ seed: 7 }).person(5))
  })

  test.each([0, 899_999])('enterprise %i is one line of JSON', async n => {
    const { status, stdout, stderr } = await ndx(['enterprise', String(n)])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(nation.enterprise(n))
  })
})

describe('clients', () => {
  test('lists the agreements', async () => {
    const { status, stdout, stderr } = await ndx(['clients'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [head, ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^CLIENT {2,}AGENCY {2,}KIND {2,}GRANTS {2,}NAME$/)
    expect(rows.map(row => row.split(/ {2,}/)[0])).toEqual([...registry.agreements.keys()])
    expect(rows.find(row => row.startsWith('bank '))?.split(/ {2,}/)).toEqual([
      'bank',
      '2302696992',
      'enterprise',
      'population/identity-verification (match)',
      'The simulated bank',
    ])
  })

  test('as JSON has everything but keys', async () => {
    const { stdout } = await ndx(['clients', '--json'])
    expect(JSON.parse(stdout)).toEqual(
      [...registry.agreements.values()].map(({ keys, ...rest }) => withoutSchema(rest)),
    )
  })
})

describe('services', () => {
  test('lists the contracts', async () => {
    const { status, stdout } = await ndx(['services'])
    expect(status).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^SERVICE {2,}VERSION {2,}MODE {2,}PROVIDER {2,}TITLE$/)
    expect(stdout).toMatch(
      /^population\/identity-verification {2,}1\.0\.0 {2,}match {2,}G01 {2,}Identity verification$/m,
    )
  })

  test('with an id tells what the contract says', async () => {
    const { status, stdout } = await ndx(['services', 'population/identity-verification'])
    expect(status).toBe(0)
    expect(stdout).toContain(
      'limits       answers within 5000 ms, request 4096 bytes, reply 1024 bytes, 5 mismatches a day',
    )
    expect(stdout).toMatch(/^ {2}customer-identification +Customer identification +Nhận biết khách hàng$/m)
    expect(stdout).toMatch(/^ {2}personalId +yes +string, personal-id$/m)
    expect(stdout).toMatch(/^ {2}attributes +sensitive +by grant/m)
    expect(stdout).toMatch(/^ {2}bank +bank-identity@1 +customer-identification +matched +5\/s, burst 10$/m)
    expect(stdout).not.toContain('Procedures')
  })

  test('as JSON is the contract', async () => {
    const { stdout } = await ndx(['services', 'population/citizen-record', '--json'])
    expect(JSON.parse(stdout)).toEqual(registry.find('population/citizen-record')?.contract)
    expect(JSON.parse((await ndx(['services', '--json'])).stdout)).toEqual(
      registry.services.map(({ contract }) => contract),
    )
  })

  test('an unknown id gets the nearest and all of them', async () => {
    const { status, stdout, stderr } = await ndx(['services', 'citizen-record'])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('there is no service “citizen-record”. Did you mean population/citizen-record?')
    expect(stderr).toContain(registry.services.map(({ contract }) => contract.id).join(', '))
  })
})

describe('secrets', () => {
  test('makes what is missing, for the owner alone, and nothing twice', async () => {
    const environment = { NDX_DATA_DIR: join(folder, 'secrets') }
    const first = await ndx(['secrets'], environment)
    const made = first.stdout.trimEnd().split('\n')
    expect(first.status).toBe(0)
    expect(made).toContain('secrets/issuer-key.json')
    expect(readdirSync(join(folder, 'secrets/clients')).sort()).toEqual(
      [...registry.agreements.keys()]
        .flatMap(client => ['callback-secret', 'private.json', 'public.json'].map(kind => `${client}.${kind}`))
        .sort(),
    )
    for (const name of made.filter(name => !name.endsWith('.public.json')))
      expect(statSync(join(folder, 'secrets', name)).mode & 0o077).toBe(0)
    expect(await ndx(['secrets'], environment)).toMatchObject({ status: 0, stdout: '' })
    rmSync(join(folder, 'secrets/clients/bank.private.json'))
    expect((await ndx(['secrets'], environment)).stdout).toBe('clients/bank.private.json\n')
  })

  test('shows the callback secret of a client that is called back, and of no other', async () => {
    const environment = { NDX_DATA_DIR: join(folder, 'shown') }
    const { status, stdout } = await ndx(['secrets', '--callback', 'public-service-portal'], environment)
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^whsec_\S{44}\n$/)])
    expect((await ndx(['secrets', '--callback', 'public-service-portal'], environment)).stdout).toBe(stdout)
    const other = await ndx(['secrets', '--callback', 'bank'], environment)
    expect([other.status, other.stdout]).toEqual([1, ''])
    expect(other.stderr).toContain('names no callback address')
    expect((await ndx(['secrets', '--callback', 'nobody'], environment)).stderr).toContain(
      'there is no client “nobody”',
    )
  })

  test('a folder that cannot be made is a message, not a stack', async () => {
    const { status, stdout, stderr } = await ndx(['secrets'], { NDX_DATA_DIR: '/dev/null/data' })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^ndx secrets: .*'\/dev\/null\/data\/secrets'\n$/)
  })
})

describe('topics', () => {
  test('without brokers says how to name them', async () => {
    const { status, stdout, stderr } = await ndx(['topics'])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('NDX_KAFKA_BROKERS=127.0.0.1:9092 npx ndx topics')
  })

  test.each(['create', 'check'])('%s waits for a broker as long as it was told, and says for what', async action => {
    const { status, stdout, stderr } = await ndx(['topics', action, '--wait', '1'], {
      NDX_KAFKA_BROKERS: '127.0.0.1:1',
    })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('no broker of 127.0.0.1:1 did it within 1 s')
    expect(stderr).toContain('--wait gives it longer')
  })
})

describe('output that cannot be written', () => {
  test('to a reader that goes away ends a command quietly', async () => {
    const line = `{ "${process.execPath}" cli/ndx.ts services --json; echo "status $?" >&2; } | head -c 20`
    expect(await shell(line)).toMatchObject({ status: 0, stderr: 'status 0\n' })
  })

  test('to a full disk is a message and status 1', async () => {
    const { status, stderr } = await shell(`exec "${process.execPath}" cli/ndx.ts services --json > /dev/full`)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^ndx: cannot write: ENOSPC.*\n$/)
  })
})

/** The file's pointer to its schema is for editors. */
const withoutSchema = (agreement: object): object => {
  const { $schema: _, ...rest } = agreement as Record<string, unknown>
  return rest
}
