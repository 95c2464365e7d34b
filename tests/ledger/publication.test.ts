// The head on its way out: not before it was compared, onto the bus once, to each witness until it has cosigned, and whether that is
// as the policy wants it.
import { expect, test } from 'vitest'
import { MemoryBus } from '#bus/memory-bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { type Comparison } from '#ledger/comparison.ts'
import { type Cosigners } from '#ledger/cosigners.ts'
import { createPublication } from '#ledger/publication.ts'
import { openPublication } from '#ledger/publishing.ts'
import { type StoredCheckpoint } from '#ledger/store.ts'
import { createLog } from '#runtime/log.ts'
import { until } from '#tests/bus/until.ts'

const log = createLog({ level: 'silent', instance: 'test' })

/** Heads are numbers, cosignatures are letters behind them. */
function publicationOf({
  witnesses = 2,
  witnessesMin = 1,
  last,
}: {
  witnesses?: number
  witnessesMin?: number
  last?: string
} = {}) {
  const world = { mayBeSigned: true, next: undefined as number | undefined, answers: 'ab', clockMs: 0 }
  const bus = new MemoryBus()
  const stored: StoredCheckpoint[] = last === undefined ? [] : [{ size: 1, atMs: 0, note: last }]
  const sign = (): StoredCheckpoint | undefined => {
    if (world.next === undefined) return undefined
    const signed = { size: world.next, atMs: 0, note: `${world.next}` }
    world.next = undefined
    stored.push(signed)
    return signed
  }
  const letters = (note: string): string => note.replaceAll(/\d/g, '')
  const publication = createPublication({
    origin: 'log.example',
    store: { addCheckpoint: checkpoint => void stored.push(checkpoint), lastCheckpoint: () => stored.at(-1) },
    bus,
    log,
    comparison: {
      get standing() {
        return { state: world.mayBeSigned ? 'compared' : 'behind', detail: '' }
      },
      compare: async () => world.mayBeSigned,
    } as Comparison,
    checkpoints: { sign, last: () => stored.at(-1) },
    cosigners: {
      cosign: async ({ note, ...rest }) => {
        const missing = [...world.answers].filter(letter => !note.includes(letter))
        return { ...rest, note: note + missing.join('') }
      },
      count: ({ note }) => letters(note).length,
    } as Cosigners,
    witnesses,
    witnessesMin,
    clock: () => world.clockMs,
    onCosigned: () => {},
  })
  return { publication, world, bus, stored }
}

test('nothing is signed, published or cosigned before it was compared, not at the end either', async () => {
  const { publication, world, bus, stored } = publicationOf()
  Object.assign(world, { mayBeSigned: false, next: 5 })
  await publication.publish()
  publication.signLast()
  expect([stored, await bus.endOf(checkpointTopic, 0)]).toEqual([[], 0])
  world.mayBeSigned = true
  await publication.publish()
  expect(stored.at(-1)?.note).toBe('5ab')
  await until('it is published', async () => (await bus.endOf(checkpointTopic, 0)) > 0)
  expect((await bus.readAt(checkpointTopic, 0, '0'))?.value.toString()).toBe('5')
  await bus.close()
})

test('a head that lacks a witness is taken to it again though nothing is new, and is published once', async () => {
  const { publication, world, bus, stored } = publicationOf()
  Object.assign(world, { answers: 'a', next: 5 })
  await publication.publish()
  expect(stored.at(-1)?.note).toBe('5a')
  world.answers = 'ab'
  await publication.publish()
  expect(stored.at(-1)?.note).toBe('5ab')
  await until('it is published', async () => (await bus.endOf(checkpointTopic, 0)) > 0)
  expect(await bus.endOf(checkpointTopic, 0)).toBe(1)
  await bus.close()
})

test('heads may lack the cosignatures they need for a moment, not longer', async () => {
  const { publication, world } = publicationOf({ witnessesMin: 2 })
  const isMet = (): boolean => publication.witnessing.isMet
  expect(isMet()).toBe(true)
  Object.assign(world, { answers: 'a', next: 5, clockMs: 3_600_000 })
  await publication.publish()
  expect([isMet(), publication.witnessing.cosigned]).toEqual([true, 1])
  world.clockMs += 29_999
  Object.assign(world, { next: 6 })
  await publication.publish()
  expect(isMet()).toBe(true)
  world.clockMs += 1
  expect(isMet()).toBe(false)
  world.answers = 'ab'
  await publication.publish()
  expect(publication.witnessing).toEqual({ witnesses: 2, needed: 2, cosigned: 2, isMet: true })
})

test('after a start a head that was never cosigned enough is not ready at once', () => {
  expect(publicationOf({ last: '1a' }).publication.witnessing.isMet).toBe(true)
  expect(publicationOf({ last: '1' }).publication.witnessing.isMet).toBe(false)
  expect(publicationOf({ last: '1', witnessesMin: 0 }).publication.witnessing.isMet).toBe(true)
})

test('more witnesses than there are cannot be asked for', () => {
  const config = { dataDir: '', witnessUrls: ['http://127.0.0.1:1'], witnessesMin: 2 }
  const parts = [{ config, bus: new MemoryBus(), log }, {}] as unknown as Parameters<typeof openPublication>
  expect(() => openPublication(...parts)).toThrow('NDX_WITNESSES_MIN is 2, and NDX_WITNESS_URLS names 1')
})
