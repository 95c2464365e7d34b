// What every Bus promises, whatever stands behind it. MemoryBus runs it without servers, KafkaBus against a real broker.
import { describe } from 'vitest'
import { type BusWorld, openHarness } from '#tests/bus/bus-harness.ts'
import { describeFinding } from '#tests/bus/finding-suite.ts'
import { describeFollowing } from '#tests/bus/following-suite.ts'
import { describeProbing } from '#tests/bus/probing-suite.ts'
import { describePublishing } from '#tests/bus/publishing-suite.ts'
import { describeReading } from '#tests/bus/reading-suite.ts'
import { describeWorking } from '#tests/bus/working-suite.ts'

export type { BusWorld } from '#tests/bus/bus-harness.ts'

export function describeBus(name: string, makeWorld: () => Promise<BusWorld>): void {
  describe(name, () => {
    const harness = openHarness(makeWorld)
    describe('work', () => describeWorking(harness))
    describe('readReplies', () => describeReading(harness))
    describe('publish', () => describePublishing(harness))
    describe('follow', () => describeFollowing(harness))
    describe('readAt, now and id', () => describeFinding(harness))
    describe('probe', () => describeProbing(harness))
  })
}
