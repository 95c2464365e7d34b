// The people whom the civil-status register finds by their personal number, as it has recorded them, its faults and all.
import { type Nation } from '#nation/nation.ts'
import { type FoundPerson, recordOf } from '../recorded-person.ts'

export const findEntry = (nation: Nation, personalId: string | undefined): FoundPerson | undefined =>
  recordOf(nation, 'civil-status', personalId === undefined ? undefined : nation.findPerson(personalId))
