// Every faulty adapter is found by the check that is about its fault, and by no other; the one they are all made of is found right.
// A file in faulty-adapters/ is a test: it says which check finds it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type OutgoingRecord } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { MemoryRoad } from '#bus/memory-road.ts'
import { checkAdapter } from '#conformance/conformance.ts'
import { type CheckName, checkNames, type Report } from '#conformance/report.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { NotaryAdapter, type Register } from './faulty-adapters/notary.ts'

const directory = join(import.meta.dirname, '../foreign/contracts')
const { services } = loadRegistry({ directory, idScheme: 'simulated' })
const folder = join(import.meta.dirname, 'faulty-adapters')
const names = readdirSync(folder).filter(name => name !== 'notary.ts')
const retentionMax = 2_000

/** Killed, it loses what it has in its memory; its register stays. */
async function checkClass(Adapter: typeof NotaryAdapter, startMs = 10_000): Promise<Report> {
  const road = new MemoryRoad(retentionMax)
  const register: Register = { deeds: new Map(), done: new Map() }
  const printed: string[] = []
  const lives: MemoryBus[] = []
  const bus = new MemoryBus({ road })
  const end = async (): Promise<void> => lives.at(-1)?.kill()
  const candidate = {
    start: async () => {
      const life = new MemoryBus({ road })
      lives.push(life)
      new Adapter({ bus: life, services, register, print: line => printed.push(line) }).start()
    },
    kill: end,
    stop: end,
    output: () => printed.join('\n'),
    ended: () => undefined,
  }
  try {
    return await checkAdapter({ services, bus, candidate, startMs, patienceMs: 4_000, takeOverMs: 4_000 })
  } finally {
    await bus.close()
  }
}

const faultsOf = ({ findings }: Report) => findings.filter(({ result }) => result === 'fault')

describe('an adapter that is right', async () => {
  const report = await checkClass(NotaryAdapter)

  test('is found to be', () => {
    expect(faultsOf(report)).toEqual([])
    expect(report.isConformant).toBe(true)
  })

  test('is held to every check', () => {
    expect([...new Set(report.findings.map(({ check }) => check))].toSorted()).toEqual([...checkNames].toSorted())
    const skipped = report.findings.filter(({ result }) => result === 'skipped')
    expect(skipped.map(({ check, about }) => [check, about])).toEqual([['fields', 'notary/deed-registration']])
  })
})

test('an adapter whose replies are nested beyond reading is reported like any other', { timeout: 60_000 }, async () => {
  class Nesting extends NotaryAdapter {
    override reply(...given: Parameters<NotaryAdapter['reply']>): OutgoingRecord {
      const record = super.reply(...given)
      const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
      return { ...record, value: String(record.value).replace(/}$/, `,"debug":${deep}}`) }
    }
  }
  const report = await checkClass(Nesting)
  expect(report.isConformant).toBe(false)
  expect(faultsOf(report).map(({ check }) => check)).toContain('envelope')
})

describe('of faulty adapters', () => {
  test.concurrent.each(names)('%s is found by its own check alone', { timeout: 60_000 }, async name => {
    const { finds, Adapter } = (await import(join(folder, name))) as { finds: CheckName; Adapter: typeof NotaryAdapter }
    const report = await checkClass(Adapter, finds === 'reachable' ? 500 : undefined)
    const faults = faultsOf(report)
    expect([...new Set(faults.map(({ check }) => check))], JSON.stringify(faults)).toEqual([finds])
    expect(faults.every(({ seen, advice = '' }) => seen.length > 10 && advice.length > 10)).toBe(true)
    expect(report.isConformant).toBe(false)
  })

  test('there is one for every check', async () => {
    const found = await Promise.all(
      names.map(async name => ((await import(join(folder, name))) as { finds: CheckName }).finds),
    )
    expect([...new Set(found)].toSorted()).toEqual([...checkNames].toSorted())
  })
})
