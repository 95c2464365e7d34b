// The report on a terminal: the table by client, service and outcome, the published figures, and whether the books are one.
import { formatTable } from '../table.ts'
import { type Terminal } from '../terminal.ts'
import { type Figure, type Report } from './report.ts'

const shownMax = 20

export function tellReport(report: Report, { paint }: Pick<Terminal, 'paint'>): string {
  const { totals, reconciliation, machine } = report
  const title = (text: string): string => `\n${paint('bold', text)}\n`
  return [
    formatTable(
      ['CLIENT', 'SERVICE', 'OUTCOME', 'QUESTIONS', 'LEDGER'],
      report.table.map(row => [row.client, row.service, row.outcome, String(row.questions), String(row.ledger)]),
    ),
    title('Published and simulated'),
    formatTable(['FIGURE', 'PUBLISHED', 'SIMULATED', 'AT FULL SCALE', ''], report.figures.map(toCells)),
    title('What stands out in the ledger'),
    formatTable(
      ['CLIENT', 'OFFICER', 'QUESTIONS', 'PEOPLE', 'GUESSES REFUSED'],
      report.officers.standOut.map(one => [
        one.client,
        one.officer,
        ...[one.questions, one.people, one.guessesRefused].map(String),
      ]),
    ),
    `The median officer asked about ${report.officers.medianPeople}.\n`,
    ...notesOf(report),
    title('Reconciliation'),
    `questions ${count(totals.questions)}: answered ${count(totals.answered)}, refused ${count(totals.refused)}
sent ${count(reconciliation.sent)} = accepted ${count(reconciliation.accepted)} + refused ${count(reconciliation.refused)} + told again ${count(reconciliation.repeated)}
ledger: accepted ${count(reconciliation.ledger.accepted)} = settled ${count(reconciliation.ledger.settled)}, refused ${count(reconciliation.ledger.refused)}
${machine.tookSeconds} s, ${machine.perSecond} questions a second, p50 ${machine.p50Ms} ms, p99 ${machine.p99Ms} ms; ${machine.sentAgain} sent again for rate or pressure
${verdictOf(report, paint)}
`,
  ].join('')
}

function verdictOf({ isReconciled, isAsPlanned, surprises, reconciliation }: Report, paint: Terminal['paint']): string {
  const faults = [
    ...reconciliation.differences.slice(0, shownMax).map(text => `  ${text}`),
    ...(isReconciled ? [] : [`${reconciliation.differenceCount} differences`]),
    ...surprises
      .slice(0, shownMax)
      .map(
        one => `  ${one.client} ${one.service} ${one.kind}: planned ${one.wanted}, got ${one.got} ${one.exchangeId}`,
      ),
    ...(isAsPlanned
      ? []
      : [
          'Not all went as planned. Does the gateway use the contracts, NDX_NATION_SEED and NDX_DATA_DIR of this command?',
        ]),
  ]
  const verdict = isReconciled
    ? paint('green', 'Reconciled: every exchange stands in the ledger as its client was told.')
    : paint('red', 'NOT RECONCILED: the ledger and the clients differ.')
  return [...faults, verdict].join('\n')
}

function notesOf({ notes }: Report): string[] {
  const tell = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${what}: ${names.join(', ')}\n`]
  return [
    ...tell('Asked by their contracts’ examples alone', notes.byExample),
    ...tell('Nobody may ask', notes.unasked),
    ...tell('Left out, since these grants hold at certain hours only', notes.leftOut),
  ]
}

const toCells = ({ title, published, simulated, atFullScale, days }: Figure): string[] => [
  title.en,
  count(published),
  count(simulated),
  atFullScale === undefined ? '' : count(atFullScale),
  days === undefined ? '' : `reached in ${count(days)} such days`,
]

const count = (value: number): string => value.toLocaleString('en')
