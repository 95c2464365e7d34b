// The ledger's side of a witness: it asks, learns, and believes only what it can verify.
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { addSignature, parseNote, verifySignatures } from '#ledger/notes/note.ts'
import { CosignError, cosign } from '#ledger/witness/client.ts'
import { type RunningWitness } from '#ledger/witness/server.ts'
import { createFilledLog, createLog, eventOf } from './proof-log.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()

describe('the ledger’s side', () => {
  const faultOf = async (asked: Promise<unknown>) => {
    const error = await asked.then(
      () => undefined,
      caught => caught,
    )
    expect(error).toBeInstanceOf(CosignError)
    return (error as CosignError).fault
  }
  const cosigning = (size: number, witness: RunningWitness, of = world.log) => ({
    note: world.headOf(size, of),
    size,
    nodes: of.nodes,
    keys: [witness.key],
  })

  test('gets a cosignature whether it knows what the witness saw, knows it wrongly, or not', async () => {
    const witness = await world.start()
    for (const [size, witnessedSize] of [
      [5, undefined],
      [9, 5],
      [12, undefined],
      [20, 7],
      [20, 20],
      [40, 39],
    ] as const) {
      const asked = { ...cosigning(size, witness), ...(witnessedSize === undefined ? {} : { witnessedSize }) }
      const { line, key: by, timeS } = await cosign(`${witness.url}/`, asked)
      expect([by, timeS]).toEqual([witness.key, world.nowMs / 1000])
      const note = parseNote(addSignature(world.headOf(size), line))
      expect(verifySignatures(note, [witness.key, world.key.verifier])).toHaveLength(2)
    }
  })

  test('learns that the witness saw more: the log was rolled back', async () => {
    const witness = await world.start()
    await cosign(witness.url, cosigning(30, witness))
    const error = await cosign(witness.url, cosigning(20, witness)).catch(caught => caught)
    expect(error).toMatchObject({ name: 'CosignError', fault: 'ahead', witnessedSize: 30 })
  })

  test('learns that the witness saw another past', async () => {
    const witness = await world.start()
    await cosign(witness.url, cosigning(30, witness))
    const fork = createLog(world.key)
    for (let index = 0; index < 40; index++) fork.add(eventOf(index, { client: 'tax-office' }))
    expect(await faultOf(cosign(witness.url, cosigning(40, witness, fork)))).toBe('inconsistent')
  })

  test('learns that the witness does not know it, and takes no cosignature of a key that it does not know', async () => {
    const witness = await world.start()
    const other = makeNoteKey(join(world.folder, 'other'), 'other.example')
    const foreign = createFilledLog(other, 3, 3)
    const asked = { note: world.headOf(3, foreign, other), size: 3, nodes: foreign.nodes, keys: [witness.key] }
    expect(await faultOf(cosign(witness.url, asked))).toBe('refused')
    expect(await faultOf(cosign(witness.url, { ...cosigning(3, witness), keys: [world.key.verifier] }))).toBe('refused')
  })

  test('believes no witness that answers nonsense, too much, always another size, or not at all', async () => {
    const witness = await world.start()
    const ask = async (status: number, body: string, isEnded = true): Promise<string> => {
      const server = createServer((request, response) => {
        request.resume()
        if (isEnded) response.writeHead(status).end(body)
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      try {
        return await faultOf(cosign(url, { ...cosigning(10, witness), timeoutMs: 500 }))
      } finally {
        server.closeAllConnections()
        server.close()
      }
    }
    expect(await ask(200, 'nonsense\n')).toBe('refused')
    expect(await ask(200, '')).toBe('refused')
    expect(
      await ask(
        200,
        `— ${witness.key.name} ${Buffer.concat([Buffer.from(witness.key.id, 'hex'), Buffer.alloc(72, 1)]).toString('base64')}\n`,
      ),
    ).toBe('refused')
    expect(await ask(200, 'x'.repeat(20_000))).toBe('unreachable')
    expect(await ask(409, '5\n')).toBe('unreachable')
    expect(await ask(409, 'five\n')).toBe('unreachable')
    expect(await ask(409, '11\n')).toBe('ahead')
    expect(await ask(500, 'no')).toBe('unreachable')
    expect(await ask(302, '')).toBe('unreachable')
    expect(await ask(200, '', false)).toBe('unreachable')
    expect(await faultOf(cosign('http://127.0.0.1:1', cosigning(10, witness)))).toBe('unreachable')
  })
})
