// What a day of the national platform asks: which clients, which services, how much of each, and how much of it is refused. The
// n-th exchange depends only on the seed and n, so a day can be had again. Pure; what is asked about is in mix-questions.ts.
import { type Agreement, type ClientId, type Grant, type Service } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { createChance, createLottery } from '#nation/chance.ts'
import { type Nation } from '#nation/nation.ts'
import { createMakers, type Maker } from './mix-questions.ts'

/** One client asking one service. */
export interface MixLine {
  client: ClientId
  service: Service
  grant: Grant
  maker: Maker
  /** Share of all exchanges, 0 … 1. */
  share: number
}

export interface Mix {
  lines: readonly MixLine[]
  /** Whose quota runs out towards the end of the day; undefined when no enterprise verifies identities. */
  capped: MixLine | undefined
  ask(n: number): Asked
}

/** One exchange to be: what is sent, and the answer it must get. */
export interface Asked {
  client: string
  /** '' when there is no such service. */
  service: string
  path: string
  body: string
  /** Not waited for: `Prefer: respond-async`. */
  isAsync: boolean
  /** HTTP status, then for 200 a part of the body, else the problem's code. */
  status: number
  holds: string
  /** Refusals that are right too, for the quota may have run out or a guess be held. */
  or: readonly string[]
}

export interface MixOptions {
  registry: Registry
  nation: Nation
  seed: number
  /** `yyyy-mm-dd`: grants that do not hold then are left out. */
  today: string
  /** Nothing but right questions to this service, from every client alike. */
  only?: string
  /** Default all. */
  clients?: readonly string[]
}

/** Relative to each other; a service that is not here has `otherWeight`. Verification is most of the real platform's traffic. */
const weights: Readonly<Record<string, number>> = {
  'population/identity-verification': 70,
  'population/citizen-record': 10,
  'business-registration/enterprise-record': 10,
  'population/personal-id-issuance': 0.5,
}
const otherWeight = 2

/** Of 1,000 exchanges so many are made to be refused, and so many verifications name the wrong person. */
const refusals = { purpose: 8, invalid: 8, unknownService: 4, ungranted: 5 }
const wrongNames = 20
const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0)
/** The quota's share of what its client asks. */
const quotaShare = 0.96
const topics = { line: 701, kind: 702 } as const
const drawKind = createLottery<Kind>([
  ...Object.entries(refusals).map(([kind, count]) => [kind as Kind, count] as const),
  ['wrong-name', wrongNames],
  ['right', 1000 - refused - wrongNames],
])

export function createMix(options: MixOptions): Mix {
  const { registry, nation, seed, today, only, clients } = options
  const chance = createChance(seed)
  const makers = createMakers(registry, nation, chance)
  const lines = planLines([...registry.agreements.values()], registry, makers, today).filter(
    ({ client, service }) =>
      (only === undefined || service.contract.id === only) && (clients === undefined || clients.includes(client)),
  )
  if (lines.length === 0) throw new Error('no agreement grants anything that the mix can ask')
  const whole = lines.reduce((sum, { share }) => sum + share, 0)
  for (const line of lines) line.share /= whole
  const drawLine = createLottery(lines.map(line => [line, line.share] as const))
  const capped = only === undefined ? findCapped(lines, registry) : undefined
  return {
    lines,
    capped,
    ask(n) {
      const line = drawLine(chance.draw(n, topics.line))
      const kind = only === undefined ? drawKind(chance.draw(n, topics.kind)) : 'right'
      return askOf(line, kind, n, { registry, makers, capped })
    },
  }
}

/** How many of `exchanges` the capped line may have answered, so that the last of them are refused. */
export function quotaOf({ share }: MixLine, exchanges: number): number {
  return Math.max(1, Math.floor(exchanges * share * (1 - refused / 1000) * quotaShare))
}

function planLines(
  agreements: readonly Agreement[],
  registry: Registry,
  makers: ReadonlyMap<string, Maker>,
  today: string,
): MixLine[] {
  const lines = new Map<string, MixLine>()
  for (const { client, grants } of agreements) {
    for (const grant of grants) {
      const [service, maker] = [registry.find(grant.service), makers.get(grant.service)]
      const holds = grant.validFrom <= today && today <= grant.validTo
      if (!holds || service === undefined || maker === undefined || lines.has(`${client} ${grant.service}`)) continue
      lines.set(`${client} ${grant.service}`, { client, service, grant, maker, share: 0 })
    }
  }
  const all = [...lines.values()]
  const clientsOf = Map.groupBy(all, ({ service }) => service)
  for (const line of all)
    line.share = (weights[line.service.contract.id] ?? otherWeight) / (clientsOf.get(line.service)?.length ?? 1)
  return all
}

/** The first enterprise's busiest verification: a bank that asks more than it agreed to. */
function findCapped(lines: readonly MixLine[], registry: Registry): MixLine | undefined {
  return lines
    .filter(
      line => registry.agreements.get(line.client)?.kind === 'enterprise' && line.service.contract.mode === 'match',
    )
    .toSorted((a, b) => b.share - a.share)[0]
}

type Kind = 'right' | 'wrong-name' | keyof typeof refusals

interface MixTools {
  registry: Registry
  makers: ReadonlyMap<string, Maker>
  capped: MixLine | undefined
}

function askOf(line: MixLine, kind: Kind, n: number, tools: MixTools): Asked {
  const { client, service, grant, maker } = line
  const made = maker(n, kind === 'wrong-name')
  const plain = { client, service: service.contract.id, path: pathOf(service), isAsync: false, or: [] }
  const envelope = {
    purpose: grant.purposes[n % grant.purposes.length],
    ...(grant.procedures[0] === undefined ? {} : { procedure: grant.procedures[0] }),
  }
  const refusedWith = (status: number, code: string, body: object, more: Partial<Asked> = {}): Asked => ({
    ...plain,
    body: JSON.stringify(body),
    status,
    holds: `"${code}"`,
    ...more,
  })
  if (kind === 'purpose')
    return refusedWith(403, 'NDX_PURPOSE_NOT_GRANTED', {
      purpose: ungrantedPurpose(line, tools),
      request: made.request,
    })
  if (kind === 'invalid') return refusedWith(422, 'NDX_REQUEST_INVALID', { ...envelope, request: {} })
  if (kind === 'unknownService') {
    const path = `/v1/services/${service.providerId}/no-such-service`
    return refusedWith(404, 'NDX_SERVICE_UNKNOWN', { ...envelope, request: made.request }, { service: '', path })
  }
  const other = kind === 'ungranted' ? findUngranted(line, n, tools) : undefined
  if (other !== undefined) {
    const { request } = other.maker(n, false)
    const at = { service: other.service.contract.id, path: pathOf(other.service) }
    return refusedWith(403, 'NDX_SERVICE_NOT_GRANTED', { purpose: other.purpose, request }, at)
  }
  return {
    ...plain,
    body: JSON.stringify({ ...envelope, request: made.request }),
    isAsync: made.isAsync === true,
    status: made.isAsync === true ? 202 : 200,
    holds: made.holds,
    or: [
      ...(line === tools.capped ? ['NDX_QUOTA_EXCEEDED'] : []),
      ...(made.isRepeated ? ['NDX_GUESSES_EXCEEDED'] : []),
    ],
  }
}

const pathOf = ({ contract }: Service): string => `/v1/services/${contract.id}`

/** A purpose of the contract that none of the client's grants names, else one that nobody knows. */
function ungrantedPurpose({ client, service }: MixLine, { registry }: MixTools): string {
  const grants = registry.agreements.get(client)?.grants.filter(grant => grant.service === service.contract.id) ?? []
  const granted = grants.flatMap(({ purposes }) => purposes)
  return service.contract.purposes.find(({ code }) => !granted.includes(code))?.code ?? 'curiosity'
}

/** A service that the client has no grant for, with a purpose of its contract; undefined: it may ask everything. */
function findUngranted({ client }: MixLine, n: number, { registry, makers }: MixTools) {
  const granted = registry.agreements.get(client)?.grants.map(({ service }) => service as string) ?? []
  const others = registry.services.filter(({ contract }) => !granted.includes(contract.id) && makers.has(contract.id))
  const service = others[n % others.length]
  const maker = service === undefined ? undefined : makers.get(service.contract.id)
  if (service === undefined || maker === undefined) return undefined
  return { service, maker, purpose: service.contract.purposes[0]?.code ?? '' }
}
