// The part of the bus suite about the probe: it opens on a record of its own and on nothing else.
import { expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { createProbe, type Probe } from '#bus/probe.ts'
import { keepRoundTrip } from '#bus/round-trip.ts'
import { probeTopic } from '#bus/topics.ts'
import { type BusHarness } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

export function describeProbing(h: BusHarness): void {
  test('a probe finds the road open, tells its own records from others, and closes when the reader is interrupted', async () => {
    const changes: string[] = []
    const probes: Probe[] = []
    const onRecord = (record: IncomingRecord): void => probes.forEach(probe => void probe.onRecord(record))
    await h.read({ topics: [probeTopic], partition: 5, onRecord }).ready
    for (const instance of ['one', 'other']) {
      const probe = createProbe({ bus: h.bus, partition: 5, instance, intervalMs: 50, timeoutMs: 60_000 })
      probe.onChange(isOpen => void changes.push(`${instance} ${isOpen ? 'open' : 'closed'}`))
      h.later(() => probe.stop())
      probes.push(probe)
    }
    await within(30_000, 'both open', Promise.all(probes.map(probe => probe.firstOpen)))
    expect(probes.map(probe => probe.isOpen)).toEqual([true, true])
    expect(probes[0]?.lastRoundTripMs).toBeTypeOf('number')
    probes[0]?.interrupted()
    expect(probes.map(probe => probe.isOpen)).toEqual([false, true])
    await until('open again', () => probes[0]?.isOpen === true)
    expect(changes.filter(change => change.startsWith('one'))).toEqual(['one open', 'one closed', 'one open'])
  })

  test('a round trip opens by itself, and its records open no other', async () => {
    const trips = ['trip', 'trip'].map(instance => keepRoundTrip(h.bus, instance))
    h.later(() => Promise.all(trips.map(trip => trip.stop())))
    await within(30_000, 'both open', Promise.all(trips.map(trip => trip.firstOpen)))
    expect(trips.map(trip => trip.isOpen)).toEqual([true, true])
  })

  test('a probe whose records do not come back stays closed', async () => {
    const probe = createProbe({ bus: h.bus, partition: 6, instance: 'deaf', timeoutMs: 20 })
    h.later(() => probe.stop())
    let seen = 0
    // Its records are read, late in life, but never told to it.
    await h.read({ topics: [probeTopic], partition: 6, onRecord: () => void seen++ }).ready
    await until('several probes went round', () => seen >= 3)
    expect(probe.isOpen).toBe(false)
  })
}
