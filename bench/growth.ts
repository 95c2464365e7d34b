// `npm run bench -- --growth`: what an exchange costs when there are more gateways, adapters, clients, entries in the ledger. What
// should stay flat is shown to, or by how much it does not. Ends with 1 when a measurement was void.
import { type Measured, renderCapacity } from './capacity.ts'
import { writeResult } from './day.ts'
import { type Ending } from './ending.ts'
import { type LedgerRow, measureLedger } from './growth-ledger.ts'
import { type LoadRow, measureShape, type Shape } from './growth-load.ts'
import { firstShape, renderLedger, renderShapes } from './growth-report.ts'
import { describeMachine } from './machine.ts'
import { median } from './percentile.ts'
import { grouped } from './progress-bar.ts'
import { type GrowthOptions } from './studies.ts'
import { parts } from './target.ts'

interface Growth {
  gateways: LoadRow[]
  adapters: LoadRow[]
  clients: LoadRow[]
  ledger: LedgerRow[]
}

const entriesPerExchange = 3
const progressEvery = 500_000

export async function runGrowth(options: GrowthOptions, ending: Ending, say: (line: string) => void): Promise<void> {
  const startedAt = new Date()
  const growth: Growth = { gateways: [], adapters: [], clients: [], ledger: [] }
  const measure = (shape: Shape): Promise<LoadRow[]> => {
    say(`${shape.gateways} gateway(s), ${shape.adapters} adapter(s), ${shape.clients} client(s) …`)
    return measureShape(shape, options, ending, say)
  }
  for (const count of options.instances) {
    const rows = await measure({ gateways: count, adapters: 1, clients: 1 })
    growth.gateways.push(...rows)
    growth.adapters.push(...(count === 1 ? rows : await measure({ gateways: 1, adapters: count, clients: 1 })))
  }
  for (const clients of options.clients) growth.clients.push(...(await measure({ gateways: 1, adapters: 1, clients })))
  let said = 0
  if (options.entries.length > 0) say('filling a ledger …')
  growth.ledger = await measureLedger(options.entries, ending, (done, total) => {
    if (done - said < progressEvery) return
    said = done
    say(`${grouped(done)} of ${grouped(total)} entries`)
  })
  const machine = describeMachine()
  const file = writeResult('growth', startedAt, { startedAt, machine, options, growth })
  process.stdout.write(
    `\n${renderGrowth(growth, options)}\n\n${machine.cores} × ${machine.processor}, Node ${machine.node}\nwritten: ${file}\n`,
  )
  const isVoid = [growth.gateways, growth.adapters, growth.clients].flat().some(({ faults }) => faults.length > 0)
  if (isVoid) process.exitCode = 1
}

export function renderGrowth({ gateways, adapters, clients, ledger }: Growth, { concurrent }: GrowthOptions): string {
  const sections: [boolean, string, () => string][] = [
    [
      gateways.length > 0,
      `Gateways, with one adapter (${concurrent} at once):`,
      () => renderShapes(gateways, shape => `${shape.gateways}`),
    ],
    [
      adapters.length > 0,
      `Adapters, with one gateway (${concurrent} at once):`,
      () => renderShapes(adapters, shape => `${shape.adapters}`),
    ],
    [
      clients.length > 0,
      `Clients with agreements (${concurrent} at once):`,
      () => renderShapes(clients, shape => grouped(shape.clients)),
    ],
    [
      ledger.length > 0,
      'Entries in the ledger (append: CPU of an exchange’s three entries; commit: 100 exchanges, flushed):',
      () => renderLedger(ledger),
    ],
    [gateways.length > 0, 'What changes past one machine:', () => renderCapacity(measuredOf(gateways, ledger))],
  ]
  return sections
    .filter(([isThere]) => isThere)
    .map(([, title, render]) => `${title}\n\n${render()}`)
    .join('\n\n')
}

/** Of the smallest platform, and of the largest log. */
function measuredOf(gateways: readonly LoadRow[], ledger: readonly LedgerRow[]): Measured {
  const rows = firstShape(gateways)
  const cpu = parts.map(part => [part, median(rows.flatMap(({ cpuUs }) => cpuUs[part] ?? []))] as const)
  const bytes = ledger.at(-1)?.bytesPerEntry
  return {
    cpuUs: Object.fromEntries(cpu.filter(([, us]) => us !== undefined)),
    requestAndReplyBytes: undefined,
    noteBytes: undefined,
    ledgerBytes: bytes === undefined ? undefined : bytes * entriesPerExchange,
    redisBytes: undefined,
    busiestShare: 1,
  }
}
