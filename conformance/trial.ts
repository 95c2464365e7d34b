// What every check is given: who is asked, by which services, over which client, how long is waited. And what checks say alike.
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { canonicalJson } from '#contracts/registry.ts'
import { type Candidate } from './candidate.ts'
import { type Marks } from './marks.ts'
import { type CheckName, fault, type Verdict } from './report.ts'
import { type Ending, type RoadClient, type SeenReply } from './road-client.ts'

export interface Trial {
  provider: ProviderId
  /** Those that are checked; at least one. */
  services: readonly Service[]
  client: RoadClient
  /** Undefined: somebody else runs it. */
  candidate: Candidate | undefined
  marks: Marks
  /** How long an adapter may take to start. */
  startMs: number
  /** How long it may take until the next one has taken over what a killed one had in hand. */
  takeOverMs: number
  /** Whether a check found a fault of this service. */
  isFaulty(check: CheckName, service: Service): boolean
}

/** The service that is asked where any will do: one that changes nothing, if there is one. */
export const probeOf = ({ services }: Pick<Trial, 'services'>): Service => {
  const service = services.find(isReading) ?? services[0]
  if (service === undefined) throw new Error('no service is checked')
  return service
}

export const isReading = ({ contract }: Service): boolean => contract.mode !== 'effect'

export const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b)

/** How it ended, in a few words: outcome and code, never data. */
export function describeEnding({ reply, isDeferred }: Ending): string {
  if (reply !== undefined) return describeReply(reply)
  return isDeferred ? 'deferred' : 'without a reply'
}

export const describeReply = ({ outcome, code }: SeenReply): string =>
  [outcome ?? 'no outcome that can be read', ...(code === undefined ? [] : [code])].join(' ').slice(0, 80)

export const silence = (what: string): Verdict =>
  fault(
    `${what} got no reply`,
    'Answer every record with exactly one outcome: answered, failed with a code, or expired.',
  )

export const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? '' : 's'}`
