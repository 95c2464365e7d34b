// The store of insurance cards issued to children (SQLite), beside the work taken on. One person has one card, whoever asks and
// however often. Numbers are of the kind for children under six (TE1) with a province that there is not, so nobody has them.
import { hash } from 'node:crypto'
import { isSameName } from '#contracts/person-name.ts'
import { type Settlement } from '../adapter.ts'
import { createWorkStore, inTransaction, openRegister, type WorkStore } from '../work-store.ts'

/** The request of the contract. */
export interface CardRequest {
  personalId: string
  fullName: string
  /** `yyyy-mm-dd` */
  dateOfBirth: string
  sex: string
  birthRegistration: string
}

export interface InsuranceCards {
  work: WorkStore
  /** What somebody who has a card, or differs from who has it, comes to. */
  recall(request: CardRequest): Settlement | undefined
  /** Issues the card, if none was issued. */
  issue(request: CardRequest, validFrom: string, validTo: string): Settlement
  close(): void
}

const tables = `
CREATE TABLE IF NOT EXISTS card (
  personal_id TEXT PRIMARY KEY,
  insurance_card TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  date_of_birth TEXT NOT NULL,
  birth_registration TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

/** Kind, and the two digits of no province. */
const cardHead = 'TE100'
const serialSpan = 10_000_000_000
const drawsMax = 100

export function openInsuranceCards(file: string): InsuranceCards {
  const db = openRegister(file, tables)
  const cardOf = db.prepare('SELECT * FROM card WHERE personal_id = ?')
  const taken = db.prepare('SELECT 1 FROM card WHERE insurance_card = ?')
  const insert = db.prepare('INSERT INTO card VALUES (?, ?, ?, ?, ?, ?, ?)')

  function recall(request: CardRequest): Settlement | undefined {
    const card = cardOf.get(request.personalId) as CardRow | undefined
    if (card === undefined) return undefined
    if (!isOfSamePerson(card, request)) return { failure: 'already-issued-differently' }
    const { insurance_card: insuranceCard, valid_from: validFrom, valid_to: validTo } = card
    return { reply: { insuranceCard, validFrom, validTo } }
  }

  return {
    work: createWorkStore(db),
    recall,
    issue: (request, validFrom, validTo) =>
      inTransaction(db, () => {
        const known = recall(request)
        if (known !== undefined) return known
        const { personalId, fullName, dateOfBirth, birthRegistration } = request
        const insuranceCard = chooseNumber(personalId, number => taken.get(number) !== undefined)
        insert.run(personalId, insuranceCard, fullName, dateOfBirth, birthRegistration, validFrom, validTo)
        return { reply: { insuranceCard, validFrom, validTo } }
      }),
    close: () => db.close(),
  }
}

/** Drawn from the personal number, so that the same one draws the same. */
function chooseNumber(personalId: string, isTaken: (number: string) => boolean): string {
  for (let draw = 0; draw < drawsMax; draw++) {
    const digest = hash('sha256', JSON.stringify(['insurance-card-issuance', personalId, draw]), 'hex')
    const serial = Number.parseInt(digest.slice(0, 12), 16) % serialSpan
    const number = `${cardHead}${String(serial).padStart(10, '0')}`
    if (!isTaken(number)) return number
  }
  throw new RangeError('no number is free')
}

interface CardRow {
  insurance_card: string
  full_name: string
  date_of_birth: string
  birth_registration: string
  valid_from: string
  valid_to: string
}

const isOfSamePerson = (card: CardRow, { fullName, dateOfBirth, birthRegistration }: CardRequest): boolean =>
  isSameName(card.full_name, fullName, { diacritics: 'keep' }) &&
  card.date_of_birth === dateOfBirth &&
  card.birth_registration === birthRegistration
