// The kinds of questions: what goes right, and what clients get wrong on purpose or not. Which one a question is, and what must
// become of it, is drawn from its number alone, so that no refusal depends on how fast anything is.
import { type ErrorCode } from '#contracts/errors.ts'
import { type Draws } from './draws.ts'
import { type Lane } from './lanes.ts'

/**
 * ask: answered · miss: a wrong name or a number nobody has, answered no · retry: once more with its key · reuse: another question
 * with a key that was used · purpose, field, service: not granted · unknown: no such service · invalid: a number of the wrong
 * form · over: the grant has ended · prying: one officer about far too many people · guessing: one officer, one person, many
 * names · hasty: far more at once than agreed
 */
export type Kind =
  | 'ask'
  | 'miss'
  | 'retry'
  | 'reuse'
  | 'purpose'
  | 'field'
  | 'service'
  | 'unknown'
  | 'invalid'
  | 'over'
  | 'prying'
  | 'guessing'
  | 'hasty'

/** answered · repeated: the first answer once more · accepted: not settled when last looked · else the code of the refusal */
export type Outcome = 'answered' | 'repeated' | 'accepted' | 'failed' | 'expired' | ErrorCode

/** Of 10,000 questions. */
const chances: readonly (readonly [Kind, number])[] = [
  ['miss', 250],
  ['invalid', 150],
  ['retry', 100],
  ['purpose', 90],
  ['service', 60],
  ['field', 40],
  ['reuse', 30],
  ['unknown', 20],
]

/** The kind of an everyday question; one that its lane cannot ask becomes a plain one. */
export function drawKind(lane: Lane, draws: Draws, isUngranted: boolean): Kind {
  if (lane.isOver !== undefined) return 'over'
  let drawn = draws.below(10_000)
  for (const [kind, chance] of chances) {
    if (drawn < chance) return canBe(kind, lane, isUngranted) ? kind : 'ask'
    drawn -= chance
  }
  return 'ask'
}

function canBe(kind: Kind, lane: Lane, isUngranted: boolean): boolean {
  if (kind === 'miss') return canMiss(lane)
  // An example asked again is the same question.
  if (kind === 'reuse') return !lane.isByExample
  if (kind === 'field') return ungrantedFieldOf(lane) !== undefined
  return kind !== 'service' || isUngranted
}

export const canMiss = ({ maker, service }: Lane): boolean =>
  maker.miss !== undefined || canBeMisnamed({ maker, service })

/** A match that compares a name says no to another one. */
export const canBeMisnamed = ({ maker, service }: Pick<Lane, 'maker' | 'service'>): boolean =>
  service.contract.mode === 'match' && maker.writes?.name !== undefined

/** A field that no grant of the client's for this service releases. */
export const ungrantedFieldOf = ({ agreement, service }: Lane): string | undefined => {
  const granted = agreement.grants.filter(grant => grant.service === service.contract.id).flatMap(grant => grant.fields)
  return service.contract.fields.find(field => field.always !== true && !granted.includes(field.name))?.name
}
