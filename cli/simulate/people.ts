// Who questions are about: people and enterprises of the nation, drawn; and makers of questions that are made about one of them.
import { isSameName } from '#contracts/person-name.ts'
import { formatPersonalId, parsePersonalId } from '#contracts/personal-id.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault, type RegisterName } from '#nation/records.ts'
import { type Draws } from './draws.ts'
import { type Maker, type MakerTools } from './maker.ts'

/** A maker whose questions are about people; drawn are those of whom there is something to ask, and whom `isAsked` takes. */
export function aboutPeople({
  isAsked = () => true,
  ...rest
}: Required<Pick<Maker, 'about'>> & Omit<Maker, 'make'> & { isAsked?(person: Person): boolean }): Maker {
  return {
    ...rest,
    make: tools => {
      for (;;) {
        const person = drawPerson(tools)
        const question = isAsked(person) ? rest.about(person, tools) : undefined
        if (question !== undefined) return question
      }
    },
  }
}

export const drawPerson = ({ nation, draws }: Pick<MakerTools, 'nation' | 'draws'>): Person =>
  nation.person(draws.below(nation.population))

export const drawEnterprise = ({ nation, draws }: MakerTools): Enterprise =>
  nation.enterprise(draws.below(nation.enterpriseCount))

export const identityOf = ({ personalId, fullName, dateOfBirth }: Person) => ({ personalId, fullName, dateOfBirth })

interface Identified {
  personalId: string
  fullName?: string
  dateOfBirth?: string
}

/** The number alone, or with the name and the date of birth that the client has of the person. */
export const identifyBy = (person: Person, draws: Draws): Identified =>
  draws.percent(fullIdentityPercent) ? identityOf(person) : { personalId: person.personalId }

const fullIdentityPercent = 40

/** Whether a register finds the person by what is asked, which is as the population register has it. */
export function isFoundIn(
  register: RegisterName,
  person: Person,
  asked: { fullName?: string; dateOfBirth?: string },
  nation: Nation,
): boolean {
  const { fault } = nation.recordedIn(register, person)
  if (fault === undefined) return true
  const isNoticed: Readonly<Record<RecordFault, boolean>> = {
    'old-number': true,
    'misspelt-name': asked.fullName !== undefined,
    'wrong-birth-year': asked.dateOfBirth !== undefined,
  }
  return !isNoticed[fault]
}

/** What a register that finds the person tells of the name and the date of birth: its own record of them. */
export function tellRecorded(register: RegisterName, person: Person, nation: Nation) {
  const { fullName, dateOfBirth } = nation.recordedIn(register, person)
  return { fullName, dateOfBirth }
}

/** Somebody's name that is not this one, marks or no marks. */
export function drawOtherName(name: string, nation: Nation, draws: Draws): string {
  for (;;) {
    const { fullName } = drawPerson({ nation, draws })
    if (!isSameName(fullName, name, { diacritics: 'fold' })) return fullName
  }
}

/** A number of the right form that nobody has. */
export function drawUnusedId({ nation, draws }: MakerTools): string {
  for (;;) {
    const parts = parsePersonalId(drawPerson({ nation, draws }).personalId, 'simulated')
    if (parts === undefined) continue
    const personalId = formatPersonalId({ ...parts, serial: draws.below(1_000_000) }, 'simulated')
    if (nation.findPerson(personalId) === undefined) return personalId
  }
}

export const missUnused: Required<Maker>['miss'] = tools => ({
  request: { personalId: drawUnusedId(tools) },
  expects: { found: false },
})

/** A record of the nation as what a reply tells. */
export const asJson = (record: object): Record<string, never> => ({ ...record }) as unknown as Record<string, never>
