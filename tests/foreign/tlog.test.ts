// The ledger's log in the hands of programs that know nothing of NDX (torchwood, in Go): its client reads and verifies all of it
// and finds what was altered on the way; its witness cosigns our heads, and no head of another past.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCosigners } from '#ledger/cosigners.ts'
import { openCheckpoint, signCheckpoint } from '#ledger/notes/checkpoint.ts'
import {
  formatVerifierKey,
  logKeyPath,
  makeNoteKey,
  parseVerifierKey,
  readVerifierKey,
  type SignerKey,
  type VerifierKey,
} from '#ledger/notes/keys.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { CosignError, cosign } from '#ledger/witness/client.ts'
import { witnessKeysDir } from '#ledger/witness/places.ts'
import { createLog as createProcessLog } from '#runtime/log.ts'
import { until } from '#tests/bus/until.ts'
import { freePort } from '#tests/integration/processes.ts'
import { createFilledLog, createLog, eventOf } from '#tests/ledger/proof-log.ts'
import { MemoryLog, type Served, serveAltered, serveTiles } from '#tests/ledger/tiled-log.ts'
import { startWorld } from '#tests/world.ts'
import { buildMs, findGo, type GoPrograms } from './go.ts'

const run = promisify(execFile)
const go = await findGo()
const why = 'missing' in go ? ` (not run: ${go.missing})` : ''
const folder = mkdtempSync(join(tmpdir(), 'ndx-tlog-'))
const timeout = 60_000
let programs: GoPrograms
beforeAll(async () => {
  if ('build' in go) programs = await go.build(folder)
}, buildMs)
afterAll(() => rmSync(folder, { recursive: true }))

const key = makeNoteKey(join(folder, 'log-key'), 'log.example/foreign')
const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})
const opened = async <T extends { stop(): Promise<void> }>(one: Promise<T>): Promise<T> => {
  open.push(await one)
  return one
}

interface Read {
  status: number
  stderr: string
  told: unknown
}

/** Status 0 and what it made of the log, or what it found wrong. */
async function readWith(prefix: string, logKey = formatVerifierKey(key.verifier)): Promise<Read> {
  try {
    const { stdout, stderr } = await run(programs.reader, ['read', prefix, logKey])
    return { status: 0, stderr, told: JSON.parse(stdout) }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { status: code, stderr, told: undefined }
  }
}

const sumOf = (entries: readonly string[]): string => {
  const hash = createHash('sha256')
  for (const entry of entries) hash.update(`${entry}\n`)
  return hash.digest('hex')
}

describe.skipIf('missing' in go)(`a client in Go${why}`, { timeout }, () => {
  test.each([1, 256, 300, 70_000])('reads and verifies a log of %i entries', async size => {
    const log = new MemoryLog(key)
    log.add(size)
    log.seal()
    const root = log.root().toString('base64')
    log.add(50) // not signed, so not there
    const { prefix } = await opened(serveTiles(log))
    expect(await readWith(prefix)).toEqual({
      status: 0,
      stderr: '',
      told: { origin: 'log.example/foreign', size, root, entries: size, sha256: sumOf(log.list.slice(0, size)) },
    })
  })

  test('reads the log of a ledger, with the public key that the ledger leaves for auditors', async () => {
    const world = await startWorld({ ledger: true })
    open.push(world)
    const store = world.ledger?.store
    for (let asked = 0; asked < 5; asked++) await world.ask('population/identity-verification')
    await until('all of it is signed', () => (store?.size ?? 0) > 0 && store?.lastCheckpoint()?.size === store?.size)
    const head = store?.lastCheckpoint()
    const logKey = formatVerifierKey(readVerifierKey(`${logKeyPath(world.dataDir)}.pub`))
    const { status, told } = await readWith(`${world.ledger?.url}/log`, logKey)
    const { size } = told as { size: number }
    expect(status).toBe(0)
    expect(size).toBeGreaterThanOrEqual(head?.size ?? Number.NaN)
    expect(told).toMatchObject({
      origin: 'ndx.example/ledger',
      entries: size,
      sha256: sumOf(store?.entries(0, size) ?? []),
    })
  })

  describe('refuses', () => {
    const size = 700
    const log = new MemoryLog(key)
    log.add(size)
    log.seal()
    let served: Served
    const through = async (alter: (path: string, body: Buffer) => Buffer): Promise<Read> => {
      served = await opened(serveTiles(log))
      return readWith((await opened(serveAltered(served.prefix, alter))).prefix)
    }
    const at = (wanted: string, alter: (body: Buffer) => Buffer) => (path: string, body: Buffer) =>
      path === wanted ? alter(body) : body
    const flip =
      (place: number) =>
      (body: Buffer): Buffer => {
        body[place]! ^= 1
        return body
      }

    test('nothing of what comes as it is', async () => {
      expect(await through((_, body) => body)).toMatchObject({ status: 0, told: { entries: size } })
    })

    test.each([
      ['a letter of an entry', at('tile/entries/000', flip(20)), /hash mismatch for entry 0/],
      [
        'a letter of the last entry',
        at('tile/entries/002.p/188', body => flip(body.length - 3)(body)),
        /hash mismatch/,
      ],
      ['a bundle that is cut', at('tile/entries/001', body => body.subarray(0, -1)), /tile too short/],
      ['a bundle with more in it', at('tile/entries/001', body => Buffer.concat([body, body])), /leftover data/],
      ['a bundle that is empty', at('tile/entries/001', () => Buffer.alloc(0)), /unexpected end of tile data/],
      ['a hash of a leaf', at('tile/0/001', flip(5)), /hash mismatch|inconsistent/],
      ['a hash at the edge', at('tile/0/002.p/188', flip(31)), /inconsistent/],
      ['a hash above', at('tile/1/000.p/2', flip(0)), /inconsistent/],
      ['a root', at('checkpoint', body => Buffer.from(String(body).replace(/^(\d+)$/m, '699'))), /signature/],
      ['a signature', at('checkpoint', body => flip(body.length - 10)(body)), /signature|malformed/],
    ])('%s altered on the way', async (_, alter, why) => {
      const { status, stderr } = await through(alter)
      expect(status).toBe(1)
      expect(stderr).toMatch(why)
    })

    test('a log that another key signed', async () => {
      const { prefix } = await opened(serveTiles(log))
      const other = makeNoteKey(join(folder, 'other-key'), 'log.example/foreign')
      expect(await readWith(prefix, formatVerifierKey(other.verifier))).toMatchObject({ status: 1 })
    })
  })
})

describe.skipIf('missing' in go)(`a witness in Go${why}`, { timeout }, () => {
  const children: ChildProcess[] = []
  let url: string
  let witness: VerifierKey
  const log = createFilledLog(key, 600, 600)
  const head = (size: number, of = log, by = key) => {
    const { origin } = of
    return { size, atMs: 0, note: signCheckpoint({ origin, size, root: of.rootAt(size) }, by) }
  }

  const database = join(folder, 'witness.db')
  const introduce = async ({ verifier }: SignerKey): Promise<void> => {
    const named = ['-db', database, '-origin', verifier.name]
    await run(programs.witnessctl, ['add-log', ...named])
    await run(programs.witnessctl, ['add-key', ...named, '-key', formatVerifierKey(verifier)])
  }

  /** Its output from now on. */
  function launch(file: string, args: readonly string[]): () => string {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    children.push(child)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
    child.once('close', code => (text += `\nended with ${code}\n`))
    return () => text
  }

  const found = async (what: string, output: () => string, pattern: RegExp): Promise<string> => {
    await until(what, () => pattern.test(output()) || /\nended with/.test(output()))
    const [, text] = pattern.exec(output()) ?? []
    if (text === undefined) throw new Error(`${what}: ${output()}`)
    return text
  }

  beforeAll(async () => {
    if ('missing' in go) return
    await introduce(key)
    const socket = join(folder, 'agent')
    const agent = launch(programs.reader, ['agent', socket])
    const fingerprint = await found('an ssh-agent', agent, /"fingerprint":"([^"]+)"/)
    const address = `127.0.0.1:${await freePort()}`
    const name = ['-name', 'witness.example/litewitness', '-key', fingerprint]
    const output = launch(programs.litewitness, ['-db', database, '-ssh-agent', socket, '-listen', address, ...name])
    witness = parseVerifierKey(await found('the witness', output, /vkey=(\S+)\n/))
    url = `http://${address}`
    const isUp = async (): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok === true
    await until('the witness listens', isUp)
  }, timeout)
  afterAll(async () => {
    for (const child of children.reverse()) {
      child.kill()
      await until('its end', () => child.exitCode !== null || child.signalCode !== null)
    }
  })

  const cosigners = () =>
    createCosigners({
      urls: [url],
      keys: () => [witness],
      logKey: key.verifier,
      head: log,
      log: createProcessLog({ level: 'silent', instance: 'test' }),
      clock: () => 0,
      onAlarm: () => {},
    })

  test('cosigns every head, and the cosignature is of its key', async () => {
    const asking = cosigners()
    for (const size of [1, 2, 255, 256, 300]) {
      const { note } = await asking.cosign(head(size))
      const { cosignatures } = openCheckpoint(note, [key.verifier], [witness])
      expect(cosignatures).toEqual([{ key: witness, timeS: expect.any(Number) }])
    }
  })

  test('is asked anew by a ledger that has forgotten what it cosigned', async () => {
    const asking = cosigners()
    expect(asking.count(await asking.cosign(head(500)))).toBe(1)
  })

  test('cosigns what an auditor then verifies', async () => {
    const checkpoint = await cosigners().cosign(head(600))
    const policy = { logKey: key.verifier, witnessKeys: [witness], witnessesMin: 1, checkpoint: checkpoint.note }
    const lines = log.exported().trimEnd().split('\n')
    expect(await verifyExport(lines, policy)).toMatchObject({ ok: true, cosignedBy: ['witness.example/litewitness'] })
  })

  test('cosigns the head of a whole ledger, which serves it so', async () => {
    const dataDir = join(folder, 'data')
    const own = makeNoteKey(logKeyPath(dataDir), 'ndx.example/ledger')
    await introduce(own)
    mkdirSync(witnessKeysDir(dataDir), { recursive: true })
    writeFileSync(join(witnessKeysDir(dataDir), 'litewitness.pub'), `${formatVerifierKey(witness)}\n`)
    const world = await startWorld({ ledger: true, dataDir, settings: { NDX_WITNESS_URLS: url } })
    open.push(world)
    await world.ask('population/identity-verification')
    const served = async (): Promise<string> => (await fetch(`${world.ledger?.url}/log/checkpoint`)).text()
    await until('a head is cosigned', async () => (await served()).includes(`\u2014 ${witness.name} `))
    const { cosignatures } = openCheckpoint(await served(), [own.verifier], [witness])
    expect(cosignatures).toHaveLength(1)
    expect(await readWith(`${world.ledger?.url}/log`, formatVerifierKey(own.verifier))).toMatchObject({ status: 0 })
  })

  test('does not cosign another past, nor a log that it does not know', async () => {
    const fork = createLog(key)
    for (let index = 0; index < 700; index++) fork.add(eventOf(index, index === 12 ? { client: 'tax-office' } : {}))
    const asked = { nodes: fork.nodes, keys: [witness], witnessedSize: 600 }
    await expect(cosign(url, { ...head(700, fork), ...asked })).rejects.toThrow(CosignError)
    const unknown = makeNoteKey(join(folder, 'unknown'), 'unknown.example')
    const other = createFilledLog(unknown, 5, 5)
    const { nodes } = other
    await expect(cosign(url, { ...head(5, other, unknown), nodes, keys: [witness] })).rejects.toThrow(CosignError)
  })
})
