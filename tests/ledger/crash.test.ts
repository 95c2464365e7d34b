// kill -9 at every write, flush and rename of ledger and witness, one after the other: whatever was cut, a restart finds a log that
// verifies, signs nothing else than before, and ends up the same as if nothing had happened. strace cuts; without it nothing does.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCheckpoints } from '#ledger/checkpoints.ts'
import { nodesOf } from '#ledger/log-appender.ts'
import { logKeyPath, makeNoteKey, readNoteKey } from '#ledger/notes/keys.ts'
import { writeExport } from '#ledger/proof/export.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { introduce } from '#ledger/witness/introduction.ts'
import { origin, writeAll } from './crash-writer.ts'

const script = join(import.meta.dirname, 'crash-writer.ts')
const killed = 'signal=KILL'
const broken = 'error=EIO'
const hasStrace = spawnSync('strace', ['-V']).status === 0
let root: string
let fresh: string
let wanted: string[]

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ndx-crash-'))
  fresh = join(root, 'fresh')
  makeNoteKey(logKeyPath(fresh), origin)
  introduce({ ledgerDir: fresh, witnessDir: join(fresh, 'witness'), origin, witnessName: `${origin}-witness` })
  const whole = join(root, 'whole')
  cpSync(fresh, whole, { recursive: true })
  writeAll(whole)
  wanted = withStore(whole, store => store.entries(0, 10_000))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

function withStore<T>(folder: string, use: (store: LedgerStore) => T): T {
  const store = openSqliteStore(join(folder, 'ledger', 'ledger.sqlite'))
  try {
    return use(store)
  } finally {
    store.close()
  }
}

/** Whether the process came that far; its folder is as the cut left it. */
function cut(folder: string, call: string, fault: string, hit: number): boolean {
  cpSync(fresh, folder, { recursive: true })
  const inject = `inject=${call}:${fault}:when=${hit}`
  const path = join(folder, 'ledger')
  const only = ['-P', path, '-P', join(path, 'ledger.sqlite'), '-P', join(path, 'ledger.sqlite-wal')]
  const witness = ['-P', join(folder, 'witness', 'state')]
  const { signal, status, stderr } = spawnSync(
    'strace',
    [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${call}`,
      '-e',
      inject,
      ...(call === 'rename' ? [] : [...only, ...witness]),
      process.execPath,
      script,
      folder,
    ],
    { encoding: 'utf8' },
  )
  if (status === 0) return false
  // A write or flush that failed ends the process too: what the disk holds is not known, and it is not asked again.
  const isEnded = fault === killed ? signal === 'SIGKILL' || status === 137 : status === 1 && /I\/O|EIO/.test(stderr)
  if (!isEnded) throw new Error(`not cut but broken: ${status} ${stderr}`)
  return true
}

async function expectWhole(folder: string): Promise<void> {
  const logKey = readNoteKey(logKeyPath(folder)).verifier
  const before = withStore(folder, store => {
    createCheckpoints(store, origin, readNoteKey(logKeyPath(folder)))
    return { entries: store.entries(0, 10_000), last: store.lastCheckpoint() }
  })
  expect(before.entries).toEqual(wanted.slice(0, before.entries.length))
  writeAll(folder)
  const text = withStore(folder, store => [
    ...writeExport({
      origin,
      entries: from => store.entries(from, 10_000),
      checkpoints: size => store.checkpoints(size - 1, 1_000),
      nodes: nodesOf(store),
    }),
  ]).join('')
  expect(withStore(folder, store => store.entries(0, 10_000))).toEqual(wanted)
  expect(await verifyExport(text.trimEnd().split('\n'), { logKey, witnessKeys: [] })).toMatchObject({
    ok: true,
    entries: wanted.length,
  })
  if (before.last !== undefined) expect(text).toContain(JSON.stringify(before.last.note).slice(1, 40))
}

describe.skipIf(!hasStrace)('cut at', () => {
  test.each([
    ['pwrite64', killed],
    ['fsync', killed],
    ['rename', killed],
    ['pwrite64', broken],
    ['fsync', broken],
    ['rename', broken],
  ])(
    '%s (%s), wherever it is, nothing is lost and nothing is forked',
    async (call, fault) => {
      // `CRASH_HITS=40 vitest run tests/ledger/crash.test.ts` goes further in.
      const hits = Number(process.env['CRASH_HITS'] ?? 4)
      let cuts = 0
      for (let hit = 1; hit <= hits; hit++) {
        // The first ones, then ever further in, so that few cuts reach all kinds of moments.
        const folder = join(root, `${call}-${hit}`)
        // Past the last one, or one that SQLite can do without (the flush of a folder).
        if (!cut(folder, call, fault, hit * hit)) continue
        cuts++
        await expectWhole(folder)
        rmSync(folder, { recursive: true, force: true })
      }
      expect(cuts).toBeGreaterThan(0)
    },
    120_000,
  )
})
