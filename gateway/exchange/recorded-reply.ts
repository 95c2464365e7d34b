// An answer told later than it came: read again from where the ledger saw it, and released by the same rules as at once, to what
// was granted then and is granted still.
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId, exchangeIdOf } from '#bus/message.ts'
import { type NoteFacts } from '#bus/note.ts'
import { type Agreement, type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type JsonObject } from '#contracts/json.ts'
import { busUnavailable } from './dispatch.ts'
import { releaseOrReport } from './release.ts'

export interface RecordedReplyParts {
  road: { readAt(topic: string, partition: number, offset: string): Promise<IncomingRecord | undefined> }
  /** Epoch ms on the road's clock. */
  roadNow(): number
  /** The service held to this contract text. */
  findByHash(contractHash: string): Service | undefined
  onIncident(incident: Incident): void
}

/** A provider broke a rule. */
export interface Incident {
  incident: 'ungranted-fields' | 'invalid-reply' | 'misdirected-reply'
  exchangeId: ExchangeId
  provider: Service['providerId']
  /** Names and codes only. */
  facts?: NoteFacts
}

export interface RecordedReply {
  service: Service
  reply: JsonObject
  fields: readonly string[]
  withheld: readonly string[]
}

/** A leader that came back may show what was written before only once more is written: so long it is away, not gone. */
const shownAgainWithinMs = 60_000

/** As notes and the log say where a reply is. */
export const placeOf = ({ topic, partition, offset }: NonNullable<ExchangeStatus['reply']>): string =>
  `${topic}/${partition}/${offset}`

/** undefined: gone, or its contract is. Throws what a released reply throws, NDX_BUS_UNAVAILABLE and NDX_SERVICE_NOT_GRANTED. */
export async function readRecordedReply(
  status: ExchangeStatus,
  agreement: Agreement,
  { road, roadNow, findByHash, onIncident }: RecordedReplyParts,
): Promise<RecordedReply | undefined> {
  const { reply: place, contractHash = '' } = status
  const exchangeId = status.exchangeId as ExchangeId
  const service = findByHash(contractHash)
  if (place === undefined || service === undefined) return undefined
  const fields = fieldsGrantedStill(status, agreement, service)
  const record = await road.readAt(place.topic, place.partition, place.offset).catch(cause => {
    throw busUnavailable(cause)
  })
  if (record === undefined && roadNow() < (status.settledMs ?? 0) + shownAgainWithinMs) throw busUnavailable()
  // A topic made anew has other records at the same offsets.
  if (record === undefined || exchangeIdOf(record) !== exchangeId) return undefined
  const { reply, withheld } = releaseOrReport(record, service, fields, (incident, facts) =>
    onIncident({ incident, exchangeId, provider: service.providerId, facts }),
  )
  return { service, reply, fields, withheld }
}

function fieldsGrantedStill(status: ExchangeStatus, agreement: Agreement, { contract }: Service): string[] {
  const grantId = status.agreement?.slice(0, status.agreement.lastIndexOf('@'))
  const grant = agreement.grants.find(({ id, service }) => id === grantId && service === contract.id)
  if (grant === undefined) {
    throw new ExchangeError('NDX_SERVICE_NOT_GRANTED', {
      detail: 'The grant under which this was asked is no longer in the agreement.',
      agreement: agreement.client,
      legalBasis: contract.legalBasis,
    })
  }
  const always = contract.fields.filter(field => field.always).map(field => field.name)
  return (status.fields ?? []).filter(name => grant.fields.includes(name) || always.includes(name))
}
