// What comes to a witness, or from one, may be anything: it is refused in so many words, never thrown on or waited for.

import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCheckpoint } from '#ledger/notes/checkpoint.ts'
import { NoteError, parseNote, parseSignature } from '#ledger/notes/note.ts'
import { CosignError, cosign } from '#ledger/witness/client.ts'
import { parseSubmission } from '#ledger/witness/submission.ts'
import { addCheckpoint } from '#ledger/witness/witness.ts'
import { fetchWitnessedHead, HeadError, openWitnessed } from '#ledger/witness/witnessed-head.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'grapheme', maxLength: 400 }))

/** Good text with a few places changed, doubled or cut: nearer to the truth than noise. */
const bent = (good: string) =>
  fc
    .array(fc.tuple(fc.nat(good.length), fc.nat(8), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 4 })
    .map(edits => edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), good))

const orNoteError = (read: () => unknown): void => {
  try {
    read()
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
  }
}

describe('any text', () => {
  test('is a note, a checkpoint, a signature, or a NoteError', () => {
    const texts = fc.oneof(anyText, bent(world.headOf(12)))
    fc.assert(
      fc.property(texts, text => {
        for (const read of [parseNote, parseCheckpoint, parseSignature]) orNoteError(() => read(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('is a submission to a witness, or refused; only what was signed is ever stored', async () => {
    const stored: string[] = []
    const state = { last: () => undefined, store: (note: string) => void stored.push(note), close: () => {} }
    const parts = { key: world.key, state, logKeys: () => [world.key.verifier], nowS: () => 1 }
    const good = world.submission(0, 12)
    expect(addCheckpoint(good, parts).status).toBe(200)
    fc.assert(
      fc.property(fc.oneof(anyText, bent(good)), body => {
        parseSubmission(body)
        expect([200, 400, 403, 404, 409, 422]).toContain(addCheckpoint(body, parts).status)
      }),
      { numRuns: 2_000 },
    )
    const { text } = parseNote(world.headOf(12))
    for (const note of stored) expect(parseNote(note).text).toBe(text)
  })

  test('is a witnessed head, or no proof', () => {
    const witnessed = world.log.seal(12, [])
    const known = { logKey: world.key.verifier, witnessKeys: [] }
    fc.assert(
      fc.property(fc.oneof(anyText, bent(witnessed)), note => {
        expect(() => openWitnessed(note, known)).toThrow(HeadError)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('any bytes that a witness answers', () => {
  let server: Server
  let answer: { status: number; bytes: Uint8Array }
  let url: string
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume()
      response.writeHead(answer.status).end(answer.bytes)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test('are no cosignature and no head', async () => {
    const statuses = fc.constantFrom(200, 204, 302, 400, 404, 409, 422, 429, 500, 503)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat().map(size => Buffer.from(`${size}\n`)),
      bent('40\n').map(text => Buffer.from(text)),
      fc.constant(Buffer.alloc(40_000, 'x')),
    )
    await fc.assert(
      fc.asyncProperty(statuses, bytes, async (status, given) => {
        answer = { status, bytes: status === 204 ? new Uint8Array() : given }
        const cosigning = { note: world.headOf(40), size: 40, nodes: world.log.nodes, keys: [world.key.verifier] }
        await expect(cosign(url, cosigning)).rejects.toThrow(CosignError)
        const known = { logKey: world.key.verifier, witnessKeys: [] }
        const head = await fetchWitnessedHead(url, known).catch(error => error)
        expect(head === undefined || head instanceof HeadError).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

test('any bytes that come to a witness leave it answering', async () => {
  const witness = await world.start()
  const { port } = new URL(witness.url)
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise(resolve => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
    })
  const targets = fc.string({ unit: 'binary-ascii', maxLength: 60 }).map(text => text.replaceAll(/[\r\n]/g, ''))
  const requests = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    targets.map(text =>
      Buffer.from(`GET /checkpoint?${text} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, 'latin1'),
    ),
    fc
      .uint8Array({ maxLength: 200 })
      .map(body =>
        Buffer.concat([
          Buffer.from(
            `POST /add-checkpoint HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
          ),
          body,
        ]),
      ),
  )
  await fc.assert(fc.asyncProperty(requests, send), { numRuns: 200 })
  const response = await world.post(witness, world.submission(0, 12))
  expect(response.status).toBe(200)
})
