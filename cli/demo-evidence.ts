// The step of the tour for whoever does not want to take its word: a receipt and an export, verified with the log's public key
// alone, and what becomes of an export that somebody edited.
import { leafHash } from '#ledger/merkle/hashes.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { type Policy } from '#ledger/proof/policy.ts'
import { type ReceiptVerdict, verifyReceipt } from '#ledger/proof/receipt.ts'
import { exchangeIdOf, identityOf, lookFor, statusIs } from './demo-claims.ts'
import { findLedger } from './demo-ledger.ts'
import { type Claim, enrolment, type Told, type Tour, verification } from './demo-tour.ts'
import { send } from './simulated-client.ts'
import { defaultLedgerUrl } from './surroundings.ts'

interface Receipt {
  text: string
  verdict: ReceiptVerdict
}

/** The head that covers an event is signed within a second or two of it. */
const coveredWithinMs = 5_000
const client = 'social-insurance'

export async function verifyEvidence(tour: Tour): Promise<Told> {
  const person = tour.nextPerson()
  const answer = await tour.ask(client, verification, { purpose: enrolment, request: identityOf(person) })
  const ledger = await findLedger(tour)
  const exchangeId = exchangeIdOf(answer)
  if ('why' in ledger)
    return { story: [...ledger.why, 'So nothing is verified here.'], checks: [statusIs(answer, 200)], isPartial: true }
  const receipt = await lookFor(() => fetchReceipt(tour.ledgerUrl, exchangeId, ledger.policy), coveredWithinMs)
  if (receipt === undefined)
    return { story: [], checks: [{ claim: `the ledger gives a receipt of ${exchangeId}`, isSo: false }] }
  const { text, verdict } = receipt
  const edited = await editExport(tour.ledgerUrl, verdict, ledger.policy)
  const option = tour.ledgerUrl === defaultLedgerUrl ? '' : ` --ledger ${tour.ledgerUrl}`
  const kinds = verdict.events.map(({ index, event }) => `${event.kind} (entry ${index})`)
  return {
    story: [
      `exchange ${exchangeId}: ${kinds.join(', ')}; checkpoint of ${verdict.size} entries`,
      ...edited.story,
      `By hand: npx ndx audit prove ${exchangeId}${option}   (ledger/README.md leads through a whole audit)`,
    ],
    checks: [
      { claim: 'the receipt proves itself with the log’s public key', isSo: verdict.ok },
      {
        claim: 'it names nobody',
        isSo: !text.includes(person.personalId) && !text.includes(person.fullName),
      },
      ...edited.checks,
    ],
  }
}

/** undefined: its answer is not under a signed head yet. */
async function fetchReceipt(ledgerUrl: string, exchangeId: string, policy: Policy): Promise<Receipt | undefined> {
  const { status, text } = await send(`${ledgerUrl}/v1/audit/proof/inclusion?exchange=${exchangeId}`)
  if (status !== 200) return undefined
  const verdict = verifyReceipt(text, policy)
  const isWhole =
    !verdict.ok || ['accepted', 'answered'].every(kind => verdict.events.some(({ event }) => event.kind === kind))
  return isWhole ? { text, verdict } : undefined
}

/** The log from this exchange on: as it is, with another client in one entry, and with a hash that fits the edit. */
async function editExport(
  ledgerUrl: string,
  { events }: ReceiptVerdict,
  policy: Policy,
): Promise<{ story: string[]; checks: Claim[] }> {
  const index = events.find(({ event }) => event.kind === 'accepted')?.index ?? 0
  const { text } = await send(`${ledgerUrl}/v1/audit/export?from=${index}`)
  const lines = text.trimEnd().split('\n')
  const edit = (change: (entry: string, hash: string) => string): string[] =>
    lines.map(line => {
      const [, hash = '', entry = ''] = new RegExp(`^${index} (\\S+) (.*)$`).exec(line) ?? []
      return entry === '' ? line : `${index} ${change(entry.replace(client, 'bank'), hash)}`
    })
  const untouched = await verifyExport(lines, policy)
  const edited = await verifyExport(
    edit((entry, hash) => `${hash} ${entry}`),
    policy,
  )
  const rehashed = await verifyExport(
    edit(entry => `${leafHash(entry).toString('base64')} ${entry}`),
    policy,
  )
  const [first = -1, last = first] = [rehashed.firstBad, rehashed.lastBad]
  return {
    story: [
      `export from entry ${index}, in which somebody writes “bank” for “${client}”: ${edited.why}`,
      `with a hash that fits: ${rehashed.why}`,
    ],
    checks: [
      { claim: 'the export as it is verifies', isSo: untouched.ok },
      { claim: `the edited one does not, and entry ${index} is named`, isSo: !edited.ok && edited.firstBad === index },
      {
        claim: 'nor does the one with another hash',
        isSo: !rehashed.ok && first <= index && index <= last,
      },
    ],
  }
}
