// What a judicial record certificate says of a person whom the register knows under that number, name and date of birth.
import { type Json } from '#contracts/json.ts'
import { lastBirthYear } from '#nation/cells.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { drawNumber } from '../drawn-number.ts'
import { type Circumstances, type Decision } from '../issuing-desk.ts'
import { findRecorded } from '../recorded-person.ts'

/** The request of the contract. */
export interface Application {
  personalId: string
  fullName: string
  dateOfBirth: string
  application: string
}

/** Nobody younger can be guilty of a crime (Penal Code 2015, article 12). */
export const responsibleAge = 14
/** Fewer than a million certificates a year. */
const serialSpan = 10_000_000

export function certify(asked: Application, nation: Nation, { today, isTaken }: Circumstances): Decision {
  const person = findSubject(asked, nation)
  if (person === undefined) return { reply: { found: false } }
  const certificateNumber = drawNumber({
    service: 'record-certificate',
    reference: asked.application,
    span: serialSpan,
    format: serial => `${String(serial).padStart(7, '0')}/${today.slice(0, 4)}/LLTP`,
    isTaken,
  })
  const entries = nation.convictionsOf(person) as unknown as Json[]
  return {
    number: certificateNumber,
    reply: { found: true, certificateNumber, issuedOn: today, entryCount: entries.length, entries },
  }
}

function findSubject(asked: Application, nation: Nation): Person | undefined {
  const person = findRecorded(nation, 'judicial-records', asked)?.person
  if (person === undefined || lastBirthYear - Number(person.dateOfBirth.slice(0, 4)) < responsibleAge) return undefined
  return person
}
