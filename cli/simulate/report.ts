// The report of a simulation as data: what `--json` prints and what the page shows. `table` and `figures` are the seed's; whatever
// depends on the machine stands under `machine`.
import { type Bilingual } from '#contracts/contract.ts'
import { errorTable, isErrorCode } from '#contracts/errors.ts'
import { type Registry } from '#contracts/registry.ts'
import { bodies, bodyOf, isConnectedBody } from './bodies.ts'
import { type Books, keyOf, type Row, type Surprise } from './books.ts'
import { clockOf } from './day-profile.ts'
import { type Lane, leftOut } from './lanes.ts'
import { type LedgerBooks } from './ledger-books.ts'
import { countByHour, type Plan } from './plan.ts'
import { createTally, publishedFigures } from './published.ts'
import { type Reconciled } from './reconciliation.ts'

export interface ReportRow extends Row {
  /** Of its questions, as many as the ledger tells alike. */
  ledger: number
}

export interface Summed {
  id: string
  title: Bilingual
  questions: number
  answered: number
  refused: number
  parts: Omit<Summed, 'parts'>[]
}

export interface Figure {
  title: Bilingual
  published: number
  kind: 'standing' | 'day' | 'total'
  simulated: number
  /** The same at full scale; only of a day. */
  atFullScale?: number
  /** Such working days to reach the published total. */
  days?: number
}

export interface Report {
  simulation: {
    seed: number
    mode: 'day' | 'rate'
    scale?: number
    ratePerSecond?: number
    seconds?: number
    client?: string
  }
  platform: { url: string; isEmbedded: boolean; services: number; clients: number; nation: number }
  isReconciled: boolean
  /** All went as the plan says: outcomes and answers. */
  isAsPlanned: boolean
  totals: { questions: number; answered: number; repeated: number; refused: number; yes: number; no: number }
  reconciliation: Omit<Reconciled, 'confirmed'>
  figures: Figure[]
  byBody: Summed[]
  byService: Summed[]
  byOutcome: { outcome: string; title: Bilingual; questions: number }[]
  /** Questions by the hour of the simulated day. */
  hours: { hour: string; questions: number }[]
  officers: {
    asking: number
    /** Those who asked about the most people, and those who guessed. */
    standOut: { client: string; officer: string; questions: number; people: number; guessesRefused: number }[]
    medianPeople: number
  }
  table: ReportRow[]
  surprises: readonly Surprise[]
  /** Services nobody may ask, services asked by their examples alone, grants left out, clients beside the published bodies. */
  notes: { unasked: string[]; byExample: string[]; leftOut: string[]; uncounted: string[] }
  machine: {
    startedAt: string
    tookSeconds: number
    sentAgain: number
    perSecond: number
    p50Ms: number
    p99Ms: number
  }
}

export interface ReportParts {
  simulation: Report['simulation']
  platform: { url: string; isEmbedded: boolean }
  registry: Registry
  plan: Plan
  nation: { population: number }
  books: Books
  ledger: LedgerBooks
  reconciled: Reconciled
  startedAt: Date
  tookMs: number
}

const standOutMax = 3
const answeredTitle = { vi: 'Được trả lời', en: 'Answered' }
const outcomeTitles: Readonly<Record<string, Bilingual>> = {
  answered: answeredTitle,
  repeated: { vi: 'Gửi lại, nhận lại câu trả lời cũ', en: 'Sent again, first answer told again' },
  accepted: { vi: 'Đã tiếp nhận, chưa xong', en: 'Accepted, not settled yet' },
  failed: { vi: 'Bên cung cấp không xử lý được', en: 'Failed at the provider' },
  expired: { vi: 'Hết hạn', en: 'Expired' },
}

export function makeReport(parts: ReportParts): Report {
  const { simulation, registry, plan, books, reconciled } = parts
  const table = books.rows().map(row => ({
    ...row,
    ledger: reconciled.confirmed.get(keyOf(row.client, row.service, row.outcome)) ?? 0,
  }))
  const { confirmed: _, ...reconciliation } = reconciled
  return {
    simulation,
    platform: {
      ...parts.platform,
      services: registry.services.length,
      clients: registry.agreements.size,
      nation: parts.nation.population,
    },
    isReconciled: reconciled.isReconciled && table.every(({ questions, ledger }) => questions === ledger),
    isAsPlanned: books.counts.surprises === 0,
    totals: totalsOf(table, books),
    reconciliation,
    figures: figuresOf(table, simulation.scale),
    byBody: sumByBody(table, registry),
    byService: sumByService(table, registry),
    byOutcome: sumByOutcome(table),
    hours: countByHour(plan).map((questions, hour) => ({ hour: clockOf(hour * 4), questions })),
    officers: officersOf(parts.ledger),
    table,
    surprises: books.surprises,
    notes: notesOf(registry, plan.lanes, simulation.client === undefined),
    machine: machineOf(parts),
  }
}

export const isAnswered = (outcome: string): boolean => outcome === 'answered' || outcome === 'repeated'

export const titleOf = (outcome: string): Bilingual =>
  outcomeTitles[outcome] ??
  (isErrorCode(outcome) ? { vi: errorTable[outcome].vi, en: errorTable[outcome].en } : { vi: outcome, en: outcome })

function totalsOf(table: readonly Row[], { counts }: Books): Report['totals'] {
  const { answered, refused, questions } = sumOf(table)
  const repeated = sumOf(table.filter(({ outcome }) => outcome === 'repeated')).questions
  return { questions, answered, repeated, refused, yes: counts.matched, no: counts.unmatched }
}

function sumOf(rows: readonly Row[]): { questions: number; answered: number; refused: number } {
  const questions = rows.reduce((sum, row) => sum + row.questions, 0)
  const answered = rows.reduce((sum, row) => (isAnswered(row.outcome) ? sum + row.questions : sum), 0)
  return { questions, answered, refused: questions - answered }
}

function figuresOf(table: readonly Row[], scale: number | undefined): Figure[] {
  const tally = createTally(table)
  return publishedFigures.map(({ title, published, kind, simulated }) => {
    const value = simulated(tally)
    const atFullScale = scale === undefined || kind === 'standing' ? undefined : Math.round(value / scale)
    const hasDays = kind === 'total' && atFullScale !== undefined && atFullScale > 0
    return {
      title,
      published,
      kind,
      simulated: value,
      ...(atFullScale === undefined ? {} : { atFullScale }),
      ...(hasDays ? { days: Math.ceil(published / atFullScale) } : {}),
    }
  })
}

function sumByBody(table: readonly Row[], { agreements }: Registry): Summed[] {
  return bodies.flatMap(({ id, title }) => {
    const rows = table.filter(({ client }) => bodyOf({ client: client as never }).id === id)
    const clients = [...new Set(rows.map(({ client }) => client))]
    const parts = clients.map(client => ({
      id: client,
      title: agreements.get(client as never)?.name ?? { vi: client, en: client },
      ...sumOf(rows.filter(row => row.client === client)),
    }))
    return rows.length === 0 ? [] : [{ id, title, ...sumOf(rows), parts }]
  })
}

function sumByService(table: readonly Row[], registry: Registry): Summed[] {
  // What is no service comes last.
  const byName = (a: string, b: string): number => Number(a === '-') - Number(b === '-') || (a < b ? -1 : 1)
  return [...new Set(table.map(({ service }) => service))].sort(byName).map(service => {
    const rows = table.filter(row => row.service === service)
    const title = registry.find(service)?.contract.title ?? {
      vi: 'Dịch vụ không tồn tại',
      en: 'A service that does not exist',
    }
    const parts = [...new Set(rows.map(({ outcome }) => outcome))].sort().map(outcome => ({
      id: outcome,
      title: titleOf(outcome),
      ...sumOf(rows.filter(row => row.outcome === outcome)),
    }))
    return { id: service, title, ...sumOf(rows), parts }
  })
}

function sumByOutcome(table: readonly Row[]): Report['byOutcome'] {
  return [...new Set(table.map(({ outcome }) => outcome))]
    .map(outcome => ({
      outcome,
      title: titleOf(outcome),
      questions: sumOf(table.filter(row => row.outcome === outcome)).questions,
    }))
    .sort((a, b) => b.questions - a.questions)
}

function officersOf({ officers }: LedgerBooks): Report['officers'] {
  const byPeople = officers.toSorted((a, b) => b.subjects.size - a.subjects.size)
  const guessing = officers
    .filter(({ guessesRefused }) => guessesRefused > 0)
    .sort((a, b) => b.guessesRefused - a.guessesRefused)
  const shown = new Set([...byPeople.slice(0, standOutMax), ...guessing.slice(0, standOutMax)])
  return {
    asking: officers.length,
    standOut: [...shown].map(({ subjects, ...one }) => ({ ...one, people: subjects.size })),
    medianPeople: byPeople[Math.floor(byPeople.length / 2)]?.subjects.size ?? 0,
  }
}

function notesOf(registry: Registry, lanes: readonly Lane[], isWhole: boolean): Report['notes'] {
  const asked = new Set(lanes.map(({ service }) => service.contract.id))
  return {
    unasked: isWhole ? registry.services.map(({ contract }) => contract.id).filter(id => !asked.has(id)) : [],
    byExample: [...new Set(lanes.filter(lane => lane.isByExample).map(({ service }) => service.contract.id))],
    leftOut: leftOut(registry),
    uncounted: [...new Set(lanes.map(({ agreement }) => agreement.client))].filter(client => !isConnectedBody(client)),
  }
}

function machineOf({ books, startedAt, tookMs }: ReportParts): Report['machine'] {
  const sorted = [...books.tookMs].sort((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10
  return {
    startedAt: startedAt.toISOString(),
    tookSeconds: Math.round(tookMs / 100) / 10,
    sentAgain: books.counts.again,
    perSecond: Math.round(books.counts.questions / (tookMs / 1000)),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}
