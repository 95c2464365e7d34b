// What makes valid questions for one service from the nation, and knows the answer. A register gets one by makers.ts;
// a service without one is asked its contract's examples, so that nothing is left out.
import { type Contract } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type Draws } from './draws.ts'

export interface Question {
  request: JsonObject
  /** What the reply must say of these members, where a grant releases them; nothing: whatever it says is right. */
  expects: JsonObject
}

export interface MakerTools {
  nation: Nation
  draws: Draws
  /** Capitals and digits, another for every question of every run: for references that must be new. */
  label: string
}

export interface Maker {
  /** About somebody or something that is there. */
  make(tools: MakerTools): Question
  /** The same about one person; undefined: of them there is nothing to ask, for want of land, a card, a benefit. */
  about?(person: Person, tools: MakerTools): Question | undefined
  aboutEnterprise?(enterprise: Enterprise, tools: MakerTools): Question | undefined
  /** Something that is not so: a number that nobody has. A match with `writes.name` needs none: a wrong name is made for it. */
  miss?(tools: MakerTools): Question
  /** Members that clients write in their own way without changing the answer: names in capitals, dates cut to the year. */
  writes?: { name?: string; birthDate?: string }
}

/** Whoever asks need not wait for an answer at once: an effect, or a register with days to answer. */
export const isSettledLater = ({ mode, deadlineMs }: Contract): boolean => mode === 'effect' || deadlineMs > waitedForMs

/** No contract lets a client wait longer. */
const waitedForMs = 60_000
/** The nation that the contracts' examples are about. */
const exampleSeed = 1

/**
 * Asks a contract's examples in turn. Examples that do not match are left out, since guesses about one person are few; what is
 * settled later is new each time, so nothing is expected of it.
 */
export function createExampleMaker(contract: Contract, nationSeed: number): Maker {
  const { examples } = contract
  const positive = examples.filter(({ reply }) => reply['matched'] !== false)
  const isKnown = !isSettledLater(contract) && nationSeed === exampleSeed
  return {
    make: ({ draws }) => {
      const { request, reply } = draws.pick(positive.length > 0 ? positive : examples)
      return { request, expects: isKnown ? reply : {} }
    },
  }
}
