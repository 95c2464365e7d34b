// Nothing is signed before it was compared. A ledger whose store is an older copy would sign another past than the one it signed
// before: so after each start the heads that others hold of this log (witnesses, the bus) are fetched and held against it. One that
// is larger is waited for, since the ledger may still read what it lost; one that is of other entries is a fork, and ends it.
import { describeError, type Log } from '#runtime/log.ts'
import { LogCorrupt } from './checkpoints.ts'
import { type Head, judgeHead, type LogHead } from './head-verdict.ts'

export interface HeadSource {
  /** For messages: the address of a witness, or `ndx.checkpoint`. */
  name: string
  /** A witness may be gone for good; the bus may not. */
  isWitness: boolean
  /** The newest verified head of this log that it holds; undefined: none. Rejects when that cannot be known now. */
  head(): Promise<Head | undefined>
}

export interface ComparisonParts {
  log: Log
  head: LogHead
  sources: readonly HeadSource[]
  /** So many witnesses must have answered; for the others it waits `waitMs` and goes on. */
  witnessesMin: number
  waitMs?: number
  /** Any clock that only goes forward, ms. */
  clock(): number
}

/** compared: may sign · comparing: not all have answered · behind: others hold a larger head · unanswered: too few witnesses. */
export interface Standing {
  state: 'compared' | 'comparing' | 'behind' | 'unanswered'
  detail: string
}

export interface Comparison {
  readonly standing: Standing
  /** Asks those that have not answered, and judges again. True: the log may be signed. Throws LogCorrupt for a fork. */
  compare(): Promise<boolean>
}

/** A witness that is away so long after the start is gone without, if the others are enough. */
const waitMsDefault = 10_000
const recovery = 'If it stays so, what was signed is lost here: “After a loss” in ledger/README.md'

export function createComparison(parts: ComparisonParts): Comparison {
  const { log, head, sources, witnessesMin, waitMs = waitMsDefault, clock } = parts
  const heads = new Map<string, Head | undefined>()
  let standing: Standing = { state: 'comparing', detail: 'nobody was asked yet' }
  let sinceMs: number | undefined

  const isMissing = ({ name }: HeadSource): boolean => !heads.has(name)

  async function ask(source: HeadSource): Promise<void> {
    try {
      heads.set(source.name, await source.head())
    } catch (error) {
      log.warn({ event: 'comparison', source: source.name, state: 'unanswered', error: describeError(error) })
    }
  }

  function judge(): Standing {
    for (const [name, held] of heads) {
      if (held === undefined || judgeHead(held, head) !== 'forked') continue
      throw new LogCorrupt(`${name} holds a signed head of ${held.size} entries that are not those of this log`)
    }
    const [behind] = [...heads].filter(([, held]) => held !== undefined && judgeHead(held, head) === 'ahead')
    if (behind !== undefined)
      return {
        state: 'behind',
        detail: `${behind[0]} holds a signed head of ${behind[1]?.size} entries, the log has ${head.size}. ${recovery}`,
      }
    const missing = sources.filter(isMissing)
    if (missing.length === 0) return { state: 'compared', detail: '' }
    const names = missing.map(({ name }) => name).join(', ')
    const isOver = clock() - (sinceMs ?? clock()) >= waitMs
    if (missing.some(({ isWitness }) => !isWitness) || !isOver)
      return { state: 'comparing', detail: `not answered: ${names}` }
    const answered = sources.filter(source => source.isWitness && !isMissing(source)).length
    if (answered < witnessesMin)
      return { state: 'unanswered', detail: `${answered} of ${witnessesMin} needed witnesses answered; away: ${names}` }
    return { state: 'compared', detail: `without ${names}` }
  }

  return {
    get standing() {
      return standing
    },
    async compare() {
      if (standing.state === 'compared') return true
      sinceMs ??= clock()
      await Promise.all(sources.filter(isMissing).map(ask))
      const before = standing
      standing = judge()
      if (standing.state !== before.state) report(standing, log)
      return standing.state === 'compared'
    },
  }
}

function report({ state, detail }: Standing, log: Log): void {
  const facts = { event: 'comparison', state, detail }
  if (state === 'compared' && detail === '') log.info(facts)
  else if (state === 'comparing') log.warn(facts, 'nothing is signed yet')
  else if (state === 'compared') log.warn(facts, 'the log is signed on though not all witnesses were asked')
  else log.error(facts, 'nothing is signed')
}
