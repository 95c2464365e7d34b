// Back up, restore, and the way back after a loss: what ledger/README.md says, done.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createCheckpoints, LogCorrupt } from '#ledger/checkpoints.ts'
import { signCheckpoint } from '#ledger/notes/checkpoint.ts'
import { readNoteKey } from '#ledger/notes/keys.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { until } from '#tests/bus/until.ts'
import { interrupted } from './interrupted-succession.ts'
import { logOrigin, RecoveryWorld } from './recovery-world.ts'

const world = new RecoveryWorld()
const keyFile = (): string => join(world.dataDir, 'ledger', 'log-key.pub')
const inFolder = (name: string): string => join(world.folder, name)

/** A ledger that signed more than the copy of its store has, and stopped. Returns what was signed. */
async function rollBack(): Promise<number> {
  const { records } = world
  await world.start()
  await world.take(world.request(1), records.reply(1))
  await world.cosigned()
  await world.stop()
  world.copy(world.store, inFolder('copy'))
  await world.start()
  // Read again in one go, each exchange has one entry: the order is another.
  await world.take(records.note(2, 'timed-out'), world.request(2), records.note(1, 'delivered'))
  const size = await world.cosigned()
  await world.stop()
  world.copy(inFolder('copy'), world.store)
  return size
}

describe('a restored older copy', () => {
  test('that reads the topics again in another order never signs the fork', async () => {
    const size = await rollBack()
    const published = await world.published()
    await world.start()
    await world.take(world.request(8), world.request(9))
    await until('it ends', () => world.faults.length > 0)
    expect(world.faults[0]).toBeInstanceOf(LogCorrupt)
    expect(String(world.faults[0])).toMatch(/holds a signed head of \d+ entries.*npx ndx ledger succeed/)
    expect((await world.ready()).ready).toBe(false)
    await world.stop()
    expect(await world.published()).toBe(published)
    expect((await world.witnessed())?.size).toBe(size)
    await world.start()
    await until('it ends again', () => world.faults.length > 1)
  })

  test('is found out by the published head alone, without a witness', async () => {
    await rollBack()
    const published = await world.published()
    await world.start({ isWitnessed: false })
    await world.take(world.request(8), world.request(9))
    await until('it ends', () => world.faults.length > 0)
    expect(String(world.faults[0])).toContain('ndx.checkpoint holds a signed head')
    expect(await world.published()).toBe(published)
  })

  test('that finds nothing to read again stays not ready, signs nothing, says why, and goes on reading', async () => {
    const size = await rollBack()
    await world.loseBus()
    await world.start()
    await until('it has compared', async () => (await world.ready()).comparison.state === 'behind')
    expect((await world.ready()).comparison.detail).toContain(`signed head of ${size} entries, the log has 2.`)
    await world.take(world.request(7))
    expect([await world.published(), world.faults]).toEqual([0, []])
    expect((await world.get('/health/ready')).status).toBe(503)
  })
})

describe('a successor log', () => {
  test('goes on after a rollback, commits to the last witnessed head, and both logs verify', async () => {
    const size = await rollBack()
    const oldKey = readFileSync(keyFile(), 'utf8')
    writeFileSync(inFolder('old-head.note'), (await world.witnessed())?.note ?? '')
    writeFileSync(inFolder('old.pub'), oldKey)
    const begun = await world.ndx('ledger', 'succeed', '--reason', 'the disk was lost, the copy is older')
    expect(begun, begun.stderr).toMatchObject({ status: 0, stdout: readFileSync(keyFile(), 'utf8') })
    expect(begun.stdout.startsWith(`${logOrigin}/2+`)).toBe(true)
    world.introduce()
    await world.start()
    // The first entry, and what the topics still hold.
    await until('it has read them', () => (world.ledger?.store.size ?? 0) >= 3)
    await world.cosigned()
    expect((await world.ndx('audit', 'export', '--out', inFolder('new.ndx'))).status).toBe(0)
    const predecessor = ['--predecessor', inFolder('old-head.note'), '--predecessor-key', inFolder('old.pub')]
    const verified = await world.ndx('audit', 'verify', inFolder('new.ndx'), ...predecessor)
    expect(verified, verified.stdout).toMatchObject({ status: 0 })
    expect(verified.stdout).toContain(
      `it succeeds ${logOrigin}, which ended with ${size} entries, root ${(await world.witnessed(logOrigin))?.root.toString('base64')}: the disk was lost, the copy is older\n`,
    )
    const aside = join(world.dataDir, 'ledger', 'predecessors', 'ndx.example_log')
    expect(readFileSync(join(aside, 'log-key.pub'), 'utf8')).toBe(oldKey)
    expect(
      (await world.ndx('audit', 'export', '--store', join(aside, 'ledger.sqlite'), '--out', inFolder('o'))).status,
    ).toBe(0)
    const old = await world.ndx('audit', 'verify', inFolder('o'), '--key', join(aside, 'log-key.pub'))
    expect(old.stdout).toContain(`of ${logOrigin} are as it signed them`)
  })

  test('is found out when it commits to less than its predecessor signed', async () => {
    await rollBack()
    const head = (await world.witnessed())?.note ?? ''
    writeFileSync(inFolder('old-head.note'), head)
    world.copy(keyFile(), inFolder('old.pub'))
    // Whoever hides the witness and gives an older head.
    rmSync(join(world.dataDir, 'ledger', 'witnesses'), { recursive: true })
    await world.witness.stop()
    await world.loseBus()
    const older = await world.ndx('audit', 'export', '--store', world.store)
    const [, first = '""'] = /^checkpoint (".*")$/m.exec(older.stdout) ?? []
    writeFileSync(inFolder('older.note'), JSON.parse(first) as string)
    const begun = await world.ndx('ledger', 'succeed', '--reason', 'x', '--checkpoint', inFolder('older.note'))
    expect(begun, begun.stderr).toMatchObject({ status: 0 })
    const store = openSqliteStore(world.store)
    createCheckpoints(store, `${logOrigin}/2`, readNoteKey(join(world.dataDir, 'ledger', 'log-key'))).sign(1)
    store.close()
    await world.ndx('audit', 'export', '--store', world.store, '--out', inFolder('new.ndx'))
    const verify = ['audit', 'verify', inFolder('new.ndx'), '--predecessor-key', inFolder('old.pub')]
    expect((await world.ndx(...verify)).status).toBe(0)
    const found = await world.ndx(...verify, '--predecessor', inFolder('old-head.note'))
    expect(found.status).toBe(1)
    expect(found.stdout).toMatch(/^bad: the predecessor signed 5 entries; its successor knows of 2 only\n/)
    const otherKey = await world.ndx('audit', 'verify', inFolder('new.ndx'), '--predecessor-key', keyFile())
    expect(otherKey.stdout).toMatch(/^bad: the checkpoint in entry 0: /)
    world.witness = { ...world.witness, stop: async () => {} }
  })

  test('is not begun over a fork: two signed heads of one size with different roots', async () => {
    const size = await rollBack()
    const key = readNoteKey(join(world.dataDir, 'ledger', 'log-key'))
    writeFileSync(inFolder('other.note'), signCheckpoint({ origin: logOrigin, size, root: Buffer.alloc(32) }, key))
    const refused = await world.ndx('ledger', 'succeed', '--reason', 'x', '--checkpoint', inFolder('other.note'))
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('this log was forked')
    expect(existsSync(join(world.dataDir, 'ledger', 'successor'))).toBe(false)
  })

  test('is not begun while the ledger runs, without a reason, while a witness is away, or when nothing was signed', async () => {
    expect((await world.ndx('ledger', 'succeed', '--reason', 'x')).stderr).toContain('nobody holds a signed head')
    await world.start()
    await world.take(world.request(1))
    await world.cosigned()
    expect((await world.ndx('ledger', 'succeed', '--reason', 'x')).stderr).toContain('is in use by a ledger')
    await world.stop()
    expect((await world.ndx('ledger', 'succeed')).stderr).toContain('--reason says why')
    await world.witness.stop()
    const refused = await world.ndx('ledger', 'succeed', '--reason', 'x')
    expect(refused).toMatchObject({ status: 1 })
    expect(refused.stderr).toContain('It may hold a later head')
    expect(existsSync(world.store)).toBe(true)
    world.witness = { ...world.witness, stop: async () => {} }
  })

  test.each([0, 1, 2, 3, 4, 5])('that was interrupted after %i moves is finished by the same command', async moves => {
    await rollBack()
    await interrupted(world, moves)
    expect(() => world.introduce()).toThrow('run `npx ndx ledger succeed` again')
    await expect(world.start()).rejects.toThrow('was begun and not finished')
    const again = await world.ndx('ledger', 'succeed', '--reason', 'x')
    expect(again, again.stderr).toMatchObject({ status: 0 })
    const names = readdirSync(join(world.dataDir, 'ledger')).sort()
    expect(names).toEqual(['ledger.sqlite', 'log-key', 'log-key.pub', 'predecessors', 'witnesses'])
    world.introduce()
    await world.start()
    await world.cosigned()
    const aside = readdirSync(join(world.dataDir, 'ledger', 'predecessors', 'ndx.example_log')).sort()
    expect(aside).toEqual(['last-checkpoint.note', 'ledger.sqlite', 'log-key', 'log-key.pub'])
  })

  test('goes on where this NDX cannot read the old store, or there is none', async () => {
    await world.start()
    await world.take(world.request(1))
    await world.cosigned()
    await world.stop()
    const database = new DatabaseSync(world.store)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(world.start()).rejects.toThrow('format 99')
    expect((await world.ndx('ledger', 'succeed', '--reason', 'an old format')).status).toBe(0)
    world.introduce()
    await world.start()
    await world.cosigned()
    await world.stop()
    writeFileSync(world.store, 'no database')
    expect((await world.ndx('ledger', 'succeed', '--reason', 'a broken disk')).status).toBe(0)
    world.copy(keyFile(), inFolder('third.pub'))
    world.introduce()
    await world.start()
    await world.cosigned()
    await world.stop()
    for (const name of ['ledger.sqlite', 'log-key', 'log-key.pub']) rmSync(join(world.dataDir, 'ledger', name))
    const fourth = await world.ndx('ledger', 'succeed', '--reason', 'all is lost', '--key', inFolder('third.pub'))
    expect(fourth.stdout.startsWith(`${logOrigin}/4+`)).toBe(true)
  })

  test('has a successor itself', async () => {
    await rollBack()
    expect((await world.ndx('ledger', 'succeed', '--reason', 'once')).status).toBe(0)
    world.introduce()
    await world.start()
    await world.cosigned()
    await world.stop()
    const again = await world.ndx('ledger', 'succeed', '--reason', 'twice')
    expect(again.stdout.startsWith(`${logOrigin}/3+`)).toBe(true)
  })
})

describe('a backup', () => {
  test('of a running ledger is restored, and the log goes on as one', async () => {
    await world.start()
    await world.take(world.request(1), world.records.reply(1))
    await world.cosigned()
    const made = await world.ndx('ledger', 'backup')
    expect(made, made.stderr).toMatchObject({ status: 0, stderr: expect.stringContaining('2 entries') })
    await world.stop()
    for (const name of ['', '-wal', '-shm']) rmSync(`${world.store}${name}`, { force: true })
    world.copy(made.stdout.trim(), world.store)
    await world.start()
    await world.take(world.records.note(1, 'delivered'))
    expect(await world.cosigned()).toBe(3)
    await world.ndx('audit', 'export', '--out', inFolder('all.ndx'))
    expect((await world.ndx('audit', 'verify', inFolder('all.ndx'))).stdout).toContain('ok: entries 0 to 2')
  })

  test('is made only once at a time, and the last three are kept', async () => {
    await world.start()
    await world.take(world.request(1))
    for (let i = 0; i < 5; i++) expect((await world.ndx('ledger', 'backup')).status).toBe(0)
    expect(readdirSync(join(world.dataDir, 'ledger', 'backups'))).toHaveLength(3)
    const post = () =>
      fetch(`${world.ledger?.url}/v1/audit/backup`, { method: 'POST', headers: { 'ndx-operator': 'test' } })
    const statuses = (await Promise.all([post(), post()])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 409])
  })
})
