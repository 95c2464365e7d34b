// The ledger and its witnesses: only what a witness signed can end the log; what it merely says is an alarm.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { LogCorrupt } from '#ledger/checkpoints.ts'
import { createCosigners, type WitnessAlarm } from '#ledger/cosigners.ts'
import { cosign } from '#ledger/witness/client.ts'
import { type RunningWitness } from '#ledger/witness/server.ts'
import { createLog as createProcessLog } from '#runtime/log.ts'
import { createLog, eventOf, type TestLog } from './proof-log.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** What a witness, or somebody on the way to it, answers; `shown` at /checkpoint. */
async function pretend(status: number, body: string, shown?: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    if (!request.url?.startsWith('/checkpoint')) response.writeHead(status).end(body)
    else response.writeHead(shown === undefined ? 404 : 200).end(shown)
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function cosignersOf(urls: string[], witnesses: RunningWitness[], log: TestLog) {
  const alarms: [string, WitnessAlarm][] = []
  const clock = { ms: 0 }
  const cosigners = createCosigners({
    urls,
    keys: () => witnesses.map(({ key }) => key),
    logKey: world.key.verifier,
    head: log,
    log: createProcessLog({ level: 'silent', instance: 'test' }),
    clock: () => clock.ms,
    onAlarm: (url, alarm) => void alarms.push([url, alarm]),
  })
  return { cosigners, alarms, clock }
}

const checkpointOf = (size: number, log = world.log) => ({ size, atMs: 0, note: world.headOf(size, log) })

function fork(size: number): TestLog {
  const log = createLog(world.key)
  for (let index = 0; index < size; index++) log.add(eventOf(index, { client: 'tax-office' }))
  return log
}

describe('what a witness says without a signed head ends nothing', () => {
  test.each<[string, number, string, WitnessAlarm]>([
    ['that it saw more', 409, '99999999\n', 'ahead-unproven'],
    ['that the past is another', 422, 'no\n', 'inconsistent-unproven'],
    ['that it does not know the log', 404, 'no\n', 'refused'],
    ['nothing of use', 500, 'no\n', 'unreachable'],
  ])('%s', async (_, status, body, alarm) => {
    const good = await world.start()
    const url = await pretend(status, body)
    const { cosigners, alarms } = cosignersOf([url, good.url], [good], world.log)
    const checkpoint = await cosigners.cosign(checkpointOf(40))
    expect(cosigners.count(checkpoint)).toBe(1)
    expect(alarms).toEqual([[url, alarm]])
  })

  test('nor a head that the log signed and no known witness did, nor garbage in its place', async () => {
    const witness = await world.start()
    for (const shown of [world.headOf(30, fork(30)), 'garbage', '', '\u2014 x\n\n', 'x'.repeat(20_000)]) {
      const url = await pretend(422, 'no\n', shown)
      const { cosigners, alarms } = cosignersOf([url], [witness], world.log)
      await cosigners.cosign(checkpointOf(40))
      expect(alarms).toEqual([[url, 'inconsistent-unproven']])
    }
  })

  test('nor an old head of this very log', async () => {
    const witness = await world.start()
    await cosign(witness.url, { note: world.headOf(12), size: 12, nodes: world.log.nodes, keys: [witness.key] })
    const shown = await (await fetch(`${witness.url}/checkpoint?origin=log.example`)).text()
    const url = await pretend(422, 'no\n', shown)
    const { cosigners, alarms } = cosignersOf([url], [witness], world.log)
    await cosigners.cosign(checkpointOf(40))
    expect(alarms).toEqual([[url, 'inconsistent-unproven']])
  })
})

describe('what a witness cosigned ends the log', () => {
  test('of more entries than it has', async () => {
    const witness = await world.start()
    await cosign(witness.url, { note: world.headOf(40), size: 40, nodes: world.log.nodes, keys: [witness.key] })
    const older = createLog(world.key)
    for (let index = 0; index < 20; index++) older.add(eventOf(index))
    const { cosigners } = cosignersOf([witness.url], [witness], older)
    await expect(cosigners.cosign(checkpointOf(20, older))).rejects.toThrow(LogCorrupt)
  })

  test('of another past', async () => {
    const witness = await world.start()
    await cosign(witness.url, { note: world.headOf(30), size: 30, nodes: world.log.nodes, keys: [witness.key] })
    const { cosigners } = cosignersOf([witness.url], [witness], fork(40))
    await expect(cosigners.cosign(checkpointOf(40, fork(40)))).rejects.toThrow(/After a loss/)
  })
})

test('a witness that contradicts without proof is asked less and less often, and cosigns again when it is well', async () => {
  const witness = await world.start()
  let isWell = false
  let asked = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.method === 'POST') asked++
    if (!isWell) return response.writeHead(request.method === 'POST' ? 422 : 404).end()
    const answer = await world.post(witness, Buffer.concat(chunks))
    return response.writeHead(answer.status).end(answer.body)
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { cosigners, clock } = cosignersOf([url], [witness], world.log)
  for (let second = 0; second < 600; second++) {
    clock.ms = second * 1_000
    await cosigners.cosign(checkpointOf(40))
  }
  expect(asked).toBeLessThan(20)
  isWell = true
  clock.ms += 60_000
  expect(cosigners.count(await cosigners.cosign(checkpointOf(40)))).toBe(1)
})

test('a head that is cosigned already gets no second signature of the same witness', async () => {
  const witness = await world.start()
  const { cosigners } = cosignersOf([witness.url], [witness], world.log)
  const checkpoint = await cosigners.cosign(checkpointOf(40))
  const again = cosignersOf([witness.url], [witness], world.log).cosigners
  world.nowMs += 5_000
  expect(await again.cosign(checkpoint)).toEqual(checkpoint)
})
