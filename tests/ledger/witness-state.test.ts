// What a witness keeps: through restarts, writes that were cut, a state that was altered, and the end of its process.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { cosign } from '#ledger/witness/client.ts'
import { formatSubmission } from '#ledger/witness/submission.ts'
import { until } from '#tests/bus/until.ts'
import { createFilledLog } from './proof-log.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()

describe('its state', () => {
  test('is on the disk before the answer, and is known after a restart', async () => {
    const witness = await world.start()
    const { body } = await world.post(witness, world.submission(0, 12))
    expect(readFileSync(world.stateFile, 'utf8')).toBe(`${world.headOf(12)}${body}`)
    await world.stop(witness)
    const again = await world.start()
    expect(again.key).toEqual(expect.objectContaining({ id: witness.key.id, name: 'witness.example/w1' }))
    expect(await world.post(again, world.submission(0, 12))).toMatchObject({ status: 409, body: '12\n' })
    expect(await world.post(again, world.submission(12, 13))).toMatchObject({ status: 200 })
  })

  test('half written when the process ended is as before', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 12))
    await world.stop(witness)
    writeFileSync(`${world.stateFile}.tmp`, world.headOf(20).slice(0, 60))
    const again = await world.start()
    expect(existsSync(`${world.stateFile}.tmp`)).toBe(false)
    expect(await world.post(again, world.submission(12, 20))).toMatchObject({ status: 200 })
  })

  test('written whole but not renamed when the process ended is as before, for nobody got that cosignature', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 12))
    const before = readFileSync(world.stateFile)
    await world.post(witness, world.submission(12, 20))
    await world.stop(witness)
    copyFileSync(world.stateFile, `${world.stateFile}.tmp`)
    writeFileSync(world.stateFile, before)
    expect(await world.post(await world.start(), world.submission(0, 12))).toMatchObject({ status: 409, body: '12\n' })
  })

  test.each<[string, (text: string) => string]>([
    ['cut', text => text.slice(0, 100)],
    ['emptied', () => ''],
    ['of another size', text => text.replace('\n12\n', '\n10\n')],
    ['without its cosignature', () => world.headOf(10)],
  ])('that was %s keeps it from starting', async (_, alter) => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 12))
    await world.stop(witness)
    writeFileSync(world.stateFile, alter(readFileSync(world.stateFile, 'utf8')))
    await expect(world.start()).rejects.toThrow(/is not as this witness left it.*Do not delete it/)
  })

  test('of one log in the place of another’s keeps it from starting', async () => {
    const other = makeNoteKey(join(world.folder, 'other'), 'other.example')
    world.trust(join(world.folder, 'other.pub'))
    const witness = await world.start()
    await world.post(witness, world.submission(0, 12))
    await world.post(
      witness,
      formatSubmission({ oldSize: 0, proof: [], note: world.headOf(3, createFilledLog(other, 3, 3), other) }),
    )
    await world.stop(witness)
    const otherFile = readdirSync(join(world.dataDir, 'state')).find(
      name => name.endsWith('.checkpoint') && !world.stateFile.endsWith(name),
    )!
    copyFileSync(join(world.dataDir, 'state', otherFile), world.stateFile)
    await expect(world.start()).rejects.toThrow(/is of another log/)
  })

  test('that cannot be written gives no cosignature, and is as before', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 12))
    mkdirSync(`${world.stateFile}.tmp`) // in the way, for root as well
    expect(await world.post(witness, world.submission(12, 20))).toEqual({
      status: 500,
      type: 'text/plain; charset=utf-8',
      body: 'not stored, so not cosigned\n',
    })
    rmSync(`${world.stateFile}.tmp`, { recursive: true })
    expect(await world.post(witness, world.submission(12, 20))).toMatchObject({ status: 200 })
  })

  test('belongs to one process: a second does not start, until the first has ended', async () => {
    const witness = await world.start()
    await expect(world.start()).rejects.toThrow(/another witness works on/)
    expect(await world.post(witness, world.submission(0, 12))).toMatchObject({ status: 200 })
    await world.stop(witness)
    await world.start()
  })
})

test('a process that is killed leaves its state and no lock', async () => {
  const launch = (): { child: ReturnType<typeof spawn>; url: Promise<string> } => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      NDX_DATA_DIR: world.dataDir,
      NDX_WITNESS_PORT: '0',
      NDX_INSTANCE: 'w1',
    }
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../ledger/witness/main.ts')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout?.on('data', text => {
      printed += text
    })
    const found = (): string | undefined => /"event":"listening","url":"([^"]+)"/.exec(printed)?.[1]
    return { child, url: until('a witness that listens', () => found() !== undefined).then(() => found()!) }
  }
  const ended = (child: ReturnType<typeof spawn>) => new Promise(resolve => child.once('close', resolve))
  const first = launch()
  const keys = [makeNoteKey(join(world.dataDir, 'witness-key'), 'ndx.example/witness/w1', 'witness').verifier]
  try {
    const url = await first.url
    const { line } = await cosign(url, { note: world.headOf(12), size: 12, nodes: world.log.nodes, keys })
    expect(line).toMatch(/^— ndx\.example\/witness\/w1 /)
    first.child.kill('SIGKILL')
    await ended(first.child)
    const second = launch()
    try {
      const again = { note: world.headOf(20), size: 20, nodes: world.log.nodes, keys, witnessedSize: 12 }
      expect((await cosign(await second.url, again)).line).toMatch(/^— ndx\.example\/witness\/w1 /)
    } finally {
      second.child.kill('SIGTERM')
      expect(await ended(second.child)).toBe(0)
    }
  } finally {
    first.child.kill('SIGKILL')
  }
})
