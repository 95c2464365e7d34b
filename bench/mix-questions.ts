// What the mix asks about: the simulated day's questions (cli/simulate), drawn anew for every exchange, with the part of the answer
// that must be there. A service nobody wrote a question for is asked its contract's examples; of the effects only the one that sets
// no other register to work is asked, so that every exchange is the mix's own.
import { createDraws } from '#cli/simulate/draws.ts'
import { createExampleMaker, isSettledLater, type Question } from '#cli/simulate/maker.ts'
import { makers } from '#cli/simulate/makers.ts'
import { type Contract } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { normalizeName } from '#contracts/person-name.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Chance } from '#nation/chance.ts'
import { type Nation } from '#nation/nation.ts'

export interface Made {
  request: JsonObject
  /** Part of the answer's body. */
  holds: string
  isAsync?: true
  /** Asked again and again about the same subject. */
  isRepeated?: true
}

/** The n-th question; with the name of another person where `isWrong` and the service compares names. */
export type Maker = (n: number, isWrong: boolean) => Made

const topic = 703
const wrongName = 'Nguyễn Văn Không Phải'
const effects: readonly string[] = ['population/personal-id-issuance']

export function createMakers(registry: Registry, nation: Nation, chance: Chance): ReadonlyMap<string, Maker> {
  const makerOf = (contract: Contract): Maker | undefined => {
    if (contract.mode === 'effect' && !effects.includes(contract.id)) return undefined
    const own = makers[contract.id]
    const { make, writes } = own ?? createExampleMaker(contract, nationSeedUnknown)
    const name = writes?.name ?? ''
    return (n, isWrong) => {
      const { request, expects } = make({ nation, draws: createDraws(chance, n, topic), label: `B${n}` })
      const isMisnamed = isWrong && contract.mode === 'match' && request[name] !== undefined
      return {
        request: writeName(request, name, { n, isMisnamed }),
        holds: isMisnamed ? '"matched":false' : holdsOf(contract, expects),
        ...(isSettledLater(contract) ? { isAsync: true } : {}),
        ...(own === undefined ? { isRepeated: true } : {}),
      }
    }
  }
  return new Map(
    registry.services.flatMap(({ contract }) => {
      const maker = makerOf(contract)
      return maker === undefined ? [] : [[contract.id, maker] as const]
    }),
  )
}

/** Of examples the outcome alone is looked at. */
const nationSeedUnknown = Number.NaN

/** Every other name in capitals without diacritics. */
function writeName(
  request: JsonObject,
  name: string,
  { n, isMisnamed }: { n: number; isMisnamed: boolean },
): JsonObject {
  const fullName = request[name]
  if (typeof fullName !== 'string') return request
  if (isMisnamed) return { ...request, [name]: wrongName }
  return n % 2 === 0 ? request : { ...request, [name]: normalizeName(fullName, { diacritics: 'fold' }) }
}

function holdsOf(contract: Contract, expects: Question['expects']): string {
  if (isSettledLater(contract)) return '"outcome":"accepted"'
  for (const answer of ['matched', 'found']) if (answer in expects) return `"${answer}":${String(expects[answer])}`
  return '"outcome":"answered"'
}
