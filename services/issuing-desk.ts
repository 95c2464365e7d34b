// A handler for a register that gives numbers and answers later. One key (an application, a registration) is given one number,
// whoever asks and however often, and each asker is told the fields it was granted. What it issued is kept beside the work.
import { join } from 'node:path'
import { type DatabaseSync } from 'node:sqlite'
import { type JsonObject } from '#contracts/json.ts'
import { type AdapterTools, answerOf, defer, type Handler, pickFields, type Settlement } from './adapter.ts'
import { startDesk } from './desk.ts'
import { localDateOf } from './local-date.ts'
import { createWorkStore, inTransaction, openRegister } from './work-store.ts'

export interface IssuingOptions<Request> {
  /** Of the store, below the registers' folder; no other service may have the same. */
  file: string
  /** From a question to its answer. */
  workMs: number
  /** What in a request is given a number. */
  keyOf(request: Request): string
  /** Whether a request asks for what its key was given. */
  isSame(before: Request, asked: Request): boolean
  /** The contract's error for one that does not. */
  otherwise: string
  /** In a transaction. What it throws is no answer: it is decided anew a second later. */
  decide(request: Request, circumstances: Circumstances): Decision
}

export interface Circumstances {
  /** The date in Vietnam, `yyyy-mm-dd`. */
  today: string
  /** Whether the register has given the number to another key. */
  isTaken(number: string): boolean
}

/** A reply with a number is kept, and told again whenever its key is asked for; other outcomes are decided each time. */
export type Decision = Settlement | { reply: JsonObject; number: string }

export function createIssuingDesk<Request>(tools: AdapterTools, options: IssuingOptions<Request>): Handler {
  const db = openRegister(join(tools.dataDir, options.file), table)
  const { recall, decide } = createBook(db, options, () => localDateOf(tools.now()))
  const desk = startDesk(tools, {
    store: createWorkStore(db),
    workMs: options.workMs,
    recall,
    decide: ({ request, fields }) => withFields(decide(request), fields && new Set(fields)),
  })
  tools.onStop(async () => {
    await desk.stop()
    db.close()
  })
  return (request, { exchangeId, fields, ticket }) => {
    const settled = desk.accept({ exchangeId, request, ticket, fields: [...fields] })
    return settled === undefined ? defer() : answerOf(withFields(settled, fields))
  }
}

const withFields = (settlement: Settlement, fields: ReadonlySet<string> | undefined): Settlement =>
  fields === undefined || 'failure' in settlement ? settlement : { reply: pickFields(settlement.reply, fields) }

const table = `
CREATE TABLE IF NOT EXISTS issued (
  key TEXT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  request TEXT NOT NULL,
  reply TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

/** What keys were given and are to be given. */
function createBook<Request>(
  db: DatabaseSync,
  { keyOf, isSame, otherwise, decide }: IssuingOptions<Request>,
  today: () => string,
) {
  const find = db.prepare('SELECT request, reply FROM issued WHERE key = ?')
  const taken = db.prepare('SELECT 1 FROM issued WHERE number = ?')
  const issue = db.prepare('INSERT INTO issued (key, number, request, reply) VALUES (?, ?, ?, ?)')
  const isTaken = (number: string): boolean => taken.get(number) !== undefined

  /** What a key that has its number, or is asked for another thing than it has, comes to. */
  function recall(request: JsonObject): Settlement | undefined {
    const asked = request as Request
    const issued = find.get(keyOf(asked)) as { request: string; reply: string } | undefined
    if (issued === undefined) return undefined
    if (!isSame(JSON.parse(issued.request) as Request, asked)) return { failure: otherwise }
    return { reply: JSON.parse(issued.reply) as JsonObject }
  }

  function decideAnew(request: JsonObject): Settlement {
    const decision = decide(request as Request, { today: today(), isTaken })
    if ('failure' in decision) return decision
    const { reply } = decision
    if ('number' in decision)
      issue.run(keyOf(request as Request), decision.number, JSON.stringify(request), JSON.stringify(reply))
    return { reply }
  }

  return {
    recall,
    decide: (request: JsonObject) => inTransaction(db, () => recall(request) ?? decideAnew(request)),
  }
}
