// Which topics the ledger follows: those of every provider that has a contract, and those of providers that had one. What was asked
// of these is settled like everything else, and what stands unread on their topics is read.
import { hasForm } from '#bus/forms.ts'
import { deadLetterTopic, noteTopic, providerOfTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type LedgerStore } from './store.ts'

/** @param road of the bus (bus.id()) */
export function followedTopics(
  providers: readonly ProviderId[],
  store: Pick<LedgerStore, 'tallies' | 'positions'>,
  road: string,
): string[] {
  const withOpenExchanges = store.tallies().flatMap(({ provider, state }) => (state === 'accepted' ? [provider] : []))
  const readBefore = store.positions(road).map(({ topic }) => providerOfTopic(topic))
  const all = new Set<string | undefined>([...providers, ...withOpenExchanges, ...readBefore])
  const proper = [...all].filter((name): name is ProviderId => hasForm('provider', name))
  return [...proper.flatMap(provider => [requestTopic(provider), replyTopic(provider)]), noteTopic, deadLetterTopic]
}
