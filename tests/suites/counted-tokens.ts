// What every Counters promises of one-time values and of revoked tokens; a part of the suite in counters.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { type Counters } from '#gateway/counters/counters.ts'
import { type CountersWorld, newClient, passTimeUntil } from './counters-world.ts'

export function describeTokens(makeWorld: () => Promise<CountersWorld>): void {
  let world: CountersWorld
  let counters: Counters
  let client: ClientId

  beforeAll(async () => {
    world = await makeWorld()
    counters = await world.openCounters()
  })
  beforeEach(() => {
    client = newClient()
  })
  afterAll(async () => {
    await counters?.close()
    await world?.close()
  })

  describe('a one-time value', () => {
    test('is new once, for every gateway', async () => {
      const value = `jti-${client}`
      const other = await world.openCounters()
      expect(await counters.useOnce(value, 60_000)).toBe(true)
      expect(await counters.useOnce(value, 60_000)).toBe(false)
      expect(await other.useOnce(value, 60_000)).toBe(false)
      expect(await counters.useOnce(`${value}.`, 60_000)).toBe(true)
      await other.close()
    })

    test('is new for one of 50 at once', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => counters.useOnce(`at once ${client}`, 60_000)))
      expect(answers.filter(isNew => isNew)).toHaveLength(1)
    })

    test('is new again after its life', async () => {
      const startMs = world.now()
      expect(await counters.useOnce(`short ${client}`, 80)).toBe(true)
      await passTimeUntil(world, 'the end of its life', () => counters.useOnce(`short ${client}`, 80))
      expect(world.now() - startMs).toBeGreaterThanOrEqual(75)
    })
  })

  describe('a revoked token', () => {
    test('is listed for every gateway until it would have expired', async () => {
      const other = await world.openCounters()
      const [long, short] = [`long-${client}`, `short-${client}`]
      await counters.revoke(long, world.now() + 60_000)
      await passTimeUntil(world, 'both are listed before the short one ends', async () => {
        await counters.revoke(short, world.now() + 100)
        const listed = await other.revoked()
        return listed.includes(long) && listed.includes(short)
      })
      await passTimeUntil(world, 'the end of the short one', async () => !(await other.revoked()).includes(short))
      expect(await other.revoked()).toContain(long)
      await other.close()
    })

    test('revoked again earlier stays for the longer time', async () => {
      await counters.revoke(`twice-${client}`, world.now() + 60_000)
      await counters.revoke(`twice-${client}`, world.now() + 1)
      await world.passTime()
      expect(await counters.revoked()).toContain(`twice-${client}`)
    })
  })
}
