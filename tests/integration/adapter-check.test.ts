// `ndx adapter check` over a real broker, with adapters it starts and kills itself: one of ours, one in Java that knows nothing of
// NDX, and one that does not even start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics } from '#bus/topics.ts'
import { checkNames, type Report } from '#conformance/report.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { ndx } from '#tests/cli/ndx.ts'
import { contractsDir, findJavaAdapter } from '#tests/foreign/java.ts'

import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const { kafkaBrokers } = await stackOfWorker()
const java = await findJavaAdapter()
const dataDir = mkdtempSync(join(tmpdir(), 'ndx-adapter-check-'))
const testMs = 240_000
const environment = {
  NDX_KAFKA_BROKERS: kafkaBrokers.join(),
  NDX_DATA_DIR: dataDir,
  NDX_OPERATIONS_PORT: '0',
}
const foreign = { ...environment, NDX_CONTRACTS_DIR: contractsDir }

beforeAll(async () => {
  await createTopics(kafkaBrokers, planTopics(['notary', 'business-registration'] as ProviderId[]))
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

/** Every check was made, and none found a fault. */
function expectConformant({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): void {
  const report = JSON.parse(stdout || '{"findings":[]}') as Report
  expect(
    report.findings.filter(({ result }) => result === 'fault'),
    stderr,
  ).toEqual([])
  expect([...new Set(report.findings.map(({ check }) => check))].toSorted()).toEqual([...checkNames].toSorted())
  const skipped = report.findings.filter(({ result }) => result === 'skipped')
  expect(skipped.map(({ seen }) => seen).every(seen => seen === 'an effect is not done for this')).toBe(true)
  expect({ status, isConformant: report.isConformant }).toEqual({ status: 0, isConformant: true })
}

test('an adapter of ours is conformant', { timeout: testMs }, async () => {
  const command = `exec ${process.execPath} services/main.ts business-registration`
  expectConformant(
    await ndx(['adapter', 'check', 'business-registration', '--json', '--command', command], environment),
  )
})

const why = 'missing' in java ? ` (not run: ${java.missing})` : ''

describe(`an adapter in Java${why}`, () => {
  test.skipIf('missing' in java)('written from the documents alone, is conformant', { timeout: testMs }, async () => {
    const line = 'missing' in java ? '' : java.line(join(dataDir, 'deeds.tsv'))
    expectConformant(await ndx(['adapter', 'check', 'notary', '--wait', '90', '--json', '--command', line], foreign))
  })
})

test('an adapter that does not start is not reachable, and its last words are told', { timeout: testMs }, async () => {
  const command = 'echo no register here >&2; exit 3'
  const line = ['adapter', 'check', 'notary/deed-record', '--wait', '3', '--command', command]
  const { status, stdout, stderr } = await ndx(line, foreign)
  expect(status).toBe(1)
  expect(stdout).toMatch(/^reachable +notary +fault +no reply within 3 s; its process ended with 3: no register here/m)
  expect(stderr).toContain('notary is not conformant: 0 ok, 1 faults, 0 skipped')
})
