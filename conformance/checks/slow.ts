// One question that takes long keeps no other waiting: many asked at once are not answered one after the other. Compared with how
// long one takes on the same machine; what is quick in all is no fault, however it is done.
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { isReading, probeOf, type Trial } from '../trial.ts'

const together = 24
const singles = 3
const roundsMax = 3
/** As many one after the other, within this, keep nobody waiting. */
const quickMs = 1_000
/** At least so many side by side. */
const abreastMin = 3

export async function checkSlow(trial: Trial): Promise<Verdict> {
  const service = probeOf(trial)
  if (!isReading(service)) return skipped('there are only effects, which are not done for this')
  const { client } = trial
  const takesMs: number[] = []
  for (let i = 0; i < singles; i++) takesMs.push(await timeOf(1))
  const oneMs = takesMs.toSorted((a, b) => a - b)[1] ?? 0
  const allowedMs = Math.max(quickMs, (oneMs * together) / abreastMin)
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < roundsMax && bestMs > allowedMs; round++)
    bestMs = Math.min(bestMs, await timeOf(together))
  const seen = `one takes ${Math.round(oneMs)} ms, ${together} at once ${Number.isFinite(bestMs) ? `${Math.round(bestMs)} ms` : 'are not all answered'}`
  if (bestMs <= allowedMs) return ok(seen)
  return fault(seen, 'Work on several records side by side, in a bounded pool; only those of one key in order.')

  async function timeOf(many: number): Promise<number> {
    const askedMs = performance.now()
    const questions = await Promise.all(Array.from({ length: many }, () => client.ask({ service })))
    const endings = await Promise.all(questions.map(question => client.ending(question)))
    const seenMs = endings.map(({ reply }) =>
      reply?.outcome === 'answered' ? reply.record.seenMs : Number.POSITIVE_INFINITY,
    )
    return Math.max(...seenMs) - askedMs
  }
}
