// A witness over HTTP, with C2SP tlog-witness as the list of what it answers: first use, growth, rollback, fork, many at once.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consistencyProof } from '#ledger/merkle/proofs.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { addSignature, parseNote, parseSignature, signNote, verifySignatures } from '#ledger/notes/note.ts'
import { formatSubmission } from '#ledger/witness/submission.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()

describe('add-checkpoint', () => {
  test('cosigns the first checkpoint, and every one that is proven to continue it', async () => {
    const witness = await world.start()
    let oldSize = 0
    for (const size of [1, 2, 3, 7, 8, 8, 31, 40]) {
      const { status, type, body } = await world.post(witness, world.submission(oldSize, size))
      expect({ status, type }).toEqual({ status: 200, type: 'text/plain; charset=utf-8' })
      expect(body.endsWith('\n')).toBe(true)
      const { text } = parseNote(world.headOf(size))
      const verified = verifySignatures({ text, signatures: [parseSignature(body.slice(0, -1))] }, [witness.key])
      expect(verified).toEqual([{ key: witness.key, timeS: world.nowMs / 1000 }])
      oldSize = size
    }
  })

  test('cosigns an empty log, then its first entry', async () => {
    const witness = await world.start()
    expect((await world.post(witness, world.submission(0, 0))).status).toBe(200)
    expect((await world.post(witness, world.submission(0, 1))).status).toBe(200)
  })

  test('says another size than it saw last with 409 and its size', async () => {
    const witness = await world.start()
    expect(await world.post(witness, world.submission(5, 9))).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      body: '0\n',
    })
    await world.post(witness, world.submission(0, 9))
    for (const [old, size] of [
      [0, 12],
      [8, 12],
      [10, 12],
      [0, 9],
    ] as const)
      expect(await world.post(witness, world.submission(old, size))).toEqual({
        status: 409,
        type: 'text/x.tlog.size',
        body: '9\n',
      })
  })

  test('does not cosign a smaller log than it saw: a rollback', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 30))
    expect(await world.post(witness, world.submission(20, 20))).toMatchObject({ status: 409, body: '30\n' })
    const lying = formatSubmission({ oldSize: 30, proof: [], note: world.headOf(20) })
    expect(await world.post(witness, lying)).toMatchObject({ status: 400 })
    expect(await world.post(witness, world.submission(30, 31))).toMatchObject({ status: 200 })
  })

  test('does not cosign another past, though it is signed: a fork, and keeps the evidence', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 30))
    const fork = createLog(world.key)
    for (let index = 0; index < 40; index++) fork.add(eventOf(index, index === 3 ? { client: 'tax-office' } : {}))
    expect(await world.post(witness, world.submission(30, 40, fork))).toMatchObject({ status: 422 })
    expect(await world.post(witness, world.submission(30, 30, fork))).toMatchObject({ status: 422 })
    const evidence = world.lines.map(line => JSON.parse(line)).filter(({ status }) => status === 422)
    expect(evidence.map(({ level, evidence: note }) => [level, note])).toEqual([
      ['error', world.headOf(40, fork)],
      ['error', world.headOf(30, fork)],
    ])
    expect(await world.post(witness, world.submission(30, 40))).toMatchObject({ status: 200 })
  })

  test('answers a proof that is not right, or is there without need, with 422', async () => {
    const witness = await world.start()
    const note = world.headOf(8)
    const hash = world.log.nodes.node(0, 0)
    const first = { oldSize: 0, proof: [hash], note }
    expect(await world.post(witness, formatSubmission(first))).toMatchObject({ status: 422 })
    await world.post(witness, world.submission(0, 3))
    const proof = consistencyProof(3, 8, world.log.nodes)
    for (const wrong of [[], proof.slice(1), [...proof, hash], proof.toReversed(), proof.with(0, hash)])
      expect(await world.post(witness, formatSubmission({ oldSize: 3, proof: wrong, note }))).toMatchObject({
        status: 422,
      })
    expect(
      await world.post(witness, formatSubmission({ oldSize: 3, proof: [hash], note: world.headOf(3) })),
    ).toMatchObject({
      status: 422,
    })
    const odd = signNote(`log.example\n0\n${hash.toString('base64')}\n`, world.key)
    await world.stop(witness)
    rmSync(world.stateFile)
    expect(await world.post(await world.start(), formatSubmission({ oldSize: 0, proof: [], note: odd }))).toMatchObject(
      {
        status: 422,
      },
    )
  })

  test('does not know other logs (404) or other keys (403)', async () => {
    const witness = await world.start()
    const other = makeNoteKey(join(world.folder, 'other'), 'other.example')
    const foreign = createFilledLog(other, 3, 3)
    const note = world.headOf(3, foreign, other)
    expect(await world.post(witness, formatSubmission({ oldSize: 0, proof: [], note }))).toMatchObject({ status: 404 })
    const impostor = makeNoteKey(join(world.folder, 'impostor'), 'log.example')
    const forged = world.headOf(3, world.log, impostor)
    expect(await world.post(witness, formatSubmission({ oldSize: 0, proof: [], note: forged }))).toMatchObject({
      status: 403,
    })
    const { text, signatures } = parseNote(world.headOf(3))
    const altered = `${text.replace('\n3\n', '\n4\n')}\n${signatures[0]?.line}\n`
    expect(await world.post(witness, formatSubmission({ oldSize: 0, proof: [], note: altered }))).toMatchObject({
      status: 403,
    })
    const both = addSignature(world.headOf(3), parseNote(altered.replace('\n4\n', '\n3\n')).signatures[0]!.line)
    expect(await world.post(witness, formatSubmission({ oldSize: 0, proof: [], note: both }))).toMatchObject({
      status: 200,
    })
  })

  test('knows a log, or a new key of one, as soon as its key lies there', async () => {
    const witness = await world.start()
    const next = makeNoteKey(join(world.folder, 'next'), 'log.example')
    const body = formatSubmission({ oldSize: 0, proof: [], note: world.headOf(3, world.log, next) })
    expect((await world.post(witness, body)).status).toBe(403)
    world.trust(join(world.folder, 'next.pub'))
    expect((await world.post(witness, body)).status).toBe(200)
    writeFileSync(join(world.dataDir, 'logs/broken.pub'), 'nonsense\n')
    expect((await world.post(witness, world.submission(3, 4))).status).toBe(200)
    expect(world.lines.some(line => line.includes('witness-logs'))).toBe(true)
    await world.stop(witness)
    await expect(world.start()).rejects.toThrow(/broken\.pub/)
  })

  test.each<[string, (right: string) => string | Buffer]>([
    ['nothing', () => ''],
    ['no old size', right => right.replace('old 3\n', '')],
    ['an old size with a zero before it', right => right.replace('old 3', 'old 03')],
    ['an old size without number', right => right.replace('old 3', 'old x')],
    ['two spaces', right => right.replace('old 3', 'old  3')],
    ['carriage returns', right => right.replaceAll('\n', '\r\n')],
    ['half a hash', right => right.replace(/^(.{20}).*=$/m, '$1')],
    ['a hash of base 64 without padding', right => right.replace(/^(.{43})=$/m, '$1')],
    ['64 hashes', right => right.replace(/^.{43}=\n/m, line => line.repeat(64))],
    ['no checkpoint', right => right.slice(0, right.indexOf('\n\n') + 2)],
    ['a checkpoint without signature', right => right.slice(0, right.lastIndexOf('\n\n') + 1)],
    ['a checkpoint without end', right => right.slice(0, -1)],
    ['a size that is none', right => right.replace('\n8\n', '\n08\n')],
    ['an old size larger than the checkpoint’s', right => right.replace('old 3', 'old 9')],
    ['what is not UTF-8', right => Buffer.concat([Buffer.from(right), Buffer.of(0xff)])],
    ['far too much', right => right + 'x'.repeat(200_000)],
  ])('answers %s with 400, and goes on', async (_, alter) => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 3))
    expect((await world.post(witness, alter(world.submission(3, 8)))).status).toBe(400)
    expect((await world.post(witness, world.submission(3, 8))).status).toBe(200)
  })

  test('is only posted to, and nothing else is there but its health', async () => {
    const { url } = await world.start()
    const statusOf = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(`${url}${path}`, { method })).status
    expect(await statusOf('/add-checkpoint')).toBe(405)
    expect(await statusOf('/health/live')).toBe(200)
    for (const path of ['/', '/sign-subtree', '/state', '/add-checkpoint/'])
      expect(await statusOf(path, 'POST')).toBe(404)
  })

  test('of many at once from one checkpoint cosigns one; the others learn its size', async () => {
    const witness = await world.start()
    await world.post(witness, world.submission(0, 5))
    const sizes = Array.from({ length: 30 }, (_, at) => 6 + at)
    const answers = await Promise.all(
      sizes.map(async size => ({ size, ...(await world.post(witness, world.submission(5, size))) })),
    )
    const cosigned = answers.filter(({ status }) => status === 200)
    expect(cosigned).toHaveLength(1)
    const others = answers.filter(answer => answer !== cosigned[0])
    expect(new Set(others.map(({ status, body }) => `${status} ${body}`))).toEqual(
      new Set([`409 ${cosigned[0]?.size}\n`]),
    )
  })

  test('never says that it saw a log earlier than it said before', async () => {
    const witness = await world.start()
    const timeOf = (body: string): number | undefined =>
      verifySignatures({ text: parseNote(world.headOf(3)).text, signatures: [parseSignature(body.trim())] }, [
        witness.key,
      ])[0]?.timeS
    const first = timeOf((await world.post(witness, world.submission(0, 3))).body)
    world.nowMs -= 3_600_000
    expect(timeOf((await world.post(witness, world.submission(3, 3))).body)).toBe(first)
  })
})
