// The granted fields of a birth's entry: of the nation's people as this register recorded them, and of the children that were
// registered here since. Where a name or a date of birth is sent along it must agree, else nothing is found.
import { type JsonObject } from '#contracts/json.ts'
import { provinces } from '#contracts/provinces.ts'
import { type AdapterTools, type CreateHandler, pickFields } from '../adapter.ts'
import { type AskedPerson, agrees, type FoundPerson } from '../recorded-person.ts'
import { type Birth, openBirths } from './births.ts'
import { findEntry } from './entries.ts'

export const createHandler: CreateHandler = tools => {
  const births = openBirths(tools.dataDir)
  tools.onStop(() => births.close())
  return (request, { fields }) => {
    const asked = request as unknown as AskedPerson
    const entry = findEntry(tools.nation, asked.personalId)
    const birth = entry === undefined ? births.findChild(asked.personalId) : undefined
    const recorded = entry?.recorded ?? birth?.child
    if (recorded === undefined || !agrees(asked, recorded)) return { found: false }
    const record = entry === undefined ? newbornOf(birth as Birth, tools) : recordOf(entry, tools)
    return pickFields({ found: true, ...record }, fields)
  }
}

function recordOf({ person, recorded }: FoundPerson, tools: AdapterTools): JsonObject {
  const { sex, birthProvince, ethnicity, motherId, fatherId } = person
  const { fullName, dateOfBirth } = recorded
  const entry = { ...tools.nation.birthEntryOf(person), fullName, dateOfBirth, sex, birthProvince, ethnicity }
  return { ...entry, ...parentsOf({ motherId, fatherId }, tools) } as unknown as JsonObject
}

function newbornOf({ registrationNumber, registeredOn, child }: Birth, tools: AdapterTools): JsonObject {
  const { fullName, dateOfBirth, sex, provinceCode } = child
  const birthProvince = provinces.find(({ code }) => code === provinceCode)
  const entry = { registrationNumber, registeredOn, fullName, dateOfBirth, sex, birthProvince }
  return { ...entry, ...parentsOf(child, tools) } as unknown as JsonObject
}

/** As the register knows them; pickFields leaves out who is not known. */
const parentsOf = (
  { motherId, fatherId }: { motherId?: string | undefined; fatherId?: string | undefined },
  tools: AdapterTools,
) => ({ mother: parentOf(motherId, tools), father: parentOf(fatherId, tools) })

function parentOf(personalId: string | undefined, { nation }: AdapterTools): JsonObject | undefined {
  const entry = findEntry(nation, personalId)
  if (entry === undefined) return undefined
  const { fullName, dateOfBirth, number } = entry.recorded
  return { fullName, dateOfBirth, personalId: number }
}
