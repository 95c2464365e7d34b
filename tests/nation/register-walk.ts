// Takes a person to one service of a register with what the population register says of them, and tells which of the faults that
// registers have the answers show. It goes by answers alone: who is not found as they are is asked for again as the register might
// have them, so that what was seeded is found rather than assumed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault, type RegisterName } from '#nation/records.ts'
import { createLog } from '#runtime/log.ts'
import { type AdapterTools, type Question } from '#services/adapter.ts'
import { loadRoutes } from '#services/handlers.ts'

export type Identity = Pick<Person, 'personalId' | 'fullName' | 'dateOfBirth'>
export type Answer = (request: JsonObject) => JsonObject

export interface Walk {
  /** `<provider>/<service>` */
  service: string
  /** Whose faults its answers show; undefined: the population register, which the others are compared with. */
  register?: RegisterName
  /** What is asked about a person described like that; undefined: the register does not hold the person. */
  ask(identity: Identity, person: Person, at: number): JsonObject | undefined
  /** Who is met at a step, where it is not whom the others meet. */
  personAt?(at: number): Person | undefined
  /** The faults it can show; default: all. What is neither compared nor told is not noticed. */
  notices?: readonly RecordFault[]
  /** Of a register that another walk asks about everyone: one of so many will do. Default: 1. */
  every?: number
  /** Instead of the handler's, which defers. */
  answer?: Answer
}

/** The nation, which computes the same anew for whoever asks, but remembers what was asked about people and enterprises before. */
export function rememberingNation(nation: Nation, people: readonly Person[]): Nation {
  const known = new Map<string, Person>(people.map(person => [person.personalId, person]))
  return {
    ...nation,
    findPerson: once(personalId => known.get(personalId) ?? nation.findPerson(personalId)),
    enterprise: once(nation.enterprise),
    findEnterprise: once(nation.findEnterprise),
    insuranceOf: once(nation.insuranceOf),
    contributionsOf: once(nation.contributionsOf),
    benefitOf: once(nation.benefitOf),
    healthOf: once(nation.healthOf),
    parcelsOf: once(nation.parcelsOf),
    publicEmploymentOf: once(nation.publicEmploymentOf),
  }
}

function once<K, V>(compute: (key: K) => V): (key: K) => V {
  const values = new Map<K, V>()
  return key => {
    if (!values.has(key)) values.set(key, compute(key))
    return values.get(key) as V
  }
}

/** So many questions of a service are held to its contract, both ways; it takes as long as the answer. */
const checkedMax = 5000

/** The handler of a service as a function of the request, all fields granted. */
export async function openService(id: string, registry: Registry, nation: Nation, given?: Answer) {
  const service = registry.find(id)
  if (service === undefined) throw new Error(`no contract is called ${id}`)
  const stops: (() => void | Promise<void>)[] = []
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-walk-'))
  const log = createLog({ level: 'silent', instance: 'test' })
  const onStop = (stop: () => void): void => void stops.push(stop)
  const tools = { provider: service.providerId, nation, dataDir, log, now: Date.now, onStop } as unknown as AdapterTools
  const answer = given ?? (await loadHandler(service, registry, tools))
  let asked = 0
  return {
    answer,
    /** Answers what a gateway lets through. */
    answerValid(request: JsonObject): JsonObject {
      const reply = answer(request)
      if (asked++ < checkedMax)
        expect([service.checkRequest(request), service.checkReply(reply)]).toEqual([undefined, undefined])
      return reply
    },
    async close(): Promise<void> {
      for (const stop of stops) await stop()
      rmSync(dataDir, { recursive: true })
    },
  }
}

async function loadHandler({ contract }: Service, registry: Registry, tools: AdapterTools): Promise<Answer> {
  const routes = await loadRoutes(registry, tools)
  const handler = routes.find(({ service }) => service.contract.id === contract.id)?.handler
  const question = { fields: new Set(contract.fields.map(({ name }) => name)) } as unknown as Question
  return request => handler?.(request, question) as JsonObject
}

/** `absent`: the register does not hold the person. Undefined: it has them as population does. */
export type Finding = RecordFault | 'absent' | undefined

export function lookUp(
  walk: Walk,
  person: Person,
  at: number,
  { answer, answerValid, nation }: { answer: Answer; answerValid: Answer; nation: Nation },
): Finding {
  const { personalId, fullName, dateOfBirth } = person
  const identity: Identity = { personalId, fullName, dateOfBirth }
  const request = walk.ask(identity, person, at)
  if (request === undefined) return 'absent'
  if (isAffirmed(answerValid(request), identity)) return undefined
  if (walk.register === undefined) return 'old-number'
  const record = nation.recordedIn(walk.register, person)
  /** A year that is not the number's no gateway lets through: so it is the register that is asked. */
  const isKnownAs = (changes: Partial<Identity>): boolean => {
    const told = { ...identity, ...changes }
    return isAffirmed(answer(walk.ask(told, person, at) as JsonObject), told)
  }
  if (isKnownAs({ fullName: record.fullName })) return 'misspelt-name'
  return isKnownAs({ dateOfBirth: record.dateOfBirth }) ? 'wrong-birth-year' : 'old-number'
}

/** Matched or found, and what the answer tells of the person agrees with what is told of them. */
function isAffirmed(reply: JsonObject, { fullName, dateOfBirth }: Identity): boolean {
  if ((reply['matched'] ?? reply['found']) !== true) return false
  const { fullName: name = reply['name'] ?? fullName, dateOfBirth: born = dateOfBirth } = reply
  return (
    (name === fullName || isSameName(String(name), fullName, { diacritics: 'fold' })) &&
    agreesWithBirthDate(String(born), dateOfBirth)
  )
}
