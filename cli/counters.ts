// `ndx counters`: the audit counters of a day, from the operations listener.
import { CommandError, defineCommand, UsageError } from './command.ts'
import { safeJson } from './safe-text.ts'
import { memberOf, send } from './simulated-client.ts'
import { operationsUrlOf } from './surroundings.ts'
import { formatTable } from './table.ts'

const titles = ['CLIENT', 'SERVICE', 'OUTCOME', 'COUNT']

export const command = defineCommand({
  positionals: [],
  about: `Prints how many exchanges of a day ended how, by client, service and outcome, as the operations listener of a gateway
counts them (NDX_OPERATIONS_URL, default http://127.0.0.1:9464). Days are of UTC+7.`,
  options: {
    day: { type: 'string', value: 'yyyy-mm-dd', about: 'default today' },
    json: { type: 'boolean', about: '{ "day", "counts": [ { "client", "service", "outcome", "count" } ] }' },
  },
  examples: [
    ['counters', 'today’s table'],
    ['counters --day 2026-01-31 --json', 'another day, for a script'],
  ],
  run: async ({ values: { day, json } }, terminal) => {
    if (day !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new UsageError('--day is written yyyy-mm-dd.')
    const url = operationsUrlOf(terminal)
    const { status, body } = await fetchCounts(url, day)
    const counts = memberOf(body, 'counts')
    if (status !== 200 || !Array.isArray(counts))
      throw new CommandError(
        `${url} gave no counters (status ${status}).\n${status === 503 ? 'They are away just now; that is not the same as zero. Try again.' : 'Name the operations listener of a gateway in NDX_OPERATIONS_URL.'}`,
      )
    const rows = counts.map(row => ['client', 'service', 'outcome', 'count'].map(name => String(memberOf(row, name))))
    await terminal.write(json ? `${safeJson(body)}\n` : formatTable(titles, rows))
    return 0
  },
})

async function fetchCounts(url: string, day: string | undefined) {
  try {
    return await send(`${url}/counters${day === undefined ? '' : `?day=${day}`}`)
  } catch (cause) {
    throw new CommandError(
      `nothing answers at ${url}.\nRun \`npm start\`, or name the operations listener of a gateway in NDX_OPERATIONS_URL.`,
      { cause },
    )
  }
}
