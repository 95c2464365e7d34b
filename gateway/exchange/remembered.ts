// Whose an exchange is, kept in the counters until the ledger has read of it. What was acknowledged is accepted. What was not is
// perhaps not on its topic at all: only once the ledger has read past the moment by which it must have been written, it surely is not.
import { type ClientId } from '#contracts/contract.ts'
import { type Counters } from '../counters/counters.ts'
import { type Trail } from './trail.ts'

export interface RememberingParts {
  counters: Pick<Counters, 'rememberExchange'>
  /** Epoch ms on the road's clock. */
  roadNow(): number
}

/** The ledger may be away for so long before an exchange just accepted seems unknown. */
const rememberedMs = 3_600_000
/** A publish whose outcome is unknown is over by then. */
const publishSettlesMs = 15_000
/** No client's name has it. */
const mark = '?'

export async function rememberExchange(
  { exchangeId, publishedAfterMs }: Trail,
  client: ClientId,
  { counters, roadNow }: RememberingParts,
): Promise<void> {
  const isAccepted = publishedAfterMs !== undefined
  const whose = isAccepted ? client : (`${client}${mark}${roadNow() + publishSettlesMs}` as ClientId)
  // Without it the client is told 404 for a moment; its record is on the topic all the same.
  await counters.rememberExchange(exchangeId, whose, rememberedMs).catch(() => {})
}

/**
 * Of this client: accepted; or perhaps, which ends when the ledger has read past `untilMs` (epoch ms on the road's clock).
 * undefined: not its own, or not remembered.
 */
export async function recallExchange(
  exchangeId: string,
  client: ClientId,
  counters: Pick<Counters, 'clientOf'>,
): Promise<{ is: 'accepted' } | { is: 'perhaps'; untilMs: number } | undefined> {
  const [whose, until] = (await counters.clientOf(exchangeId))?.split(mark) ?? []
  if (whose !== client) return undefined
  return until === undefined ? { is: 'accepted' } : { is: 'perhaps', untilMs: Number(until) }
}
