// The step of the tour that does not wait: a birth's personal number, which the register gives later. Told three ways: at once
// that it is accepted, at its address how it stands, by a callback when it is settled.
import { readJson } from '#contracts/strict-json.ts'
import { readCallbackSecret } from '#runtime/secrets.ts'
import { exchangeIdOf, lookFor, replyOf, statusIs } from './demo-claims.ts'
import { findLedger } from './demo-ledger.ts'
import { listenForCallbacks, type Receiver } from './demo-receiver.ts'
import { type Claim, type Told, type Tour } from './demo-tour.ts'
import { safeJson } from './safe-text.ts'
import { type Answer, memberOf } from './simulated-client.ts'

const client = 'public-service-portal'
const service = 'population/personal-id-issuance'
const deferredWithinMs = 5_000
const calledWithinMs = 10_000
/** From a container this machine’s loopback is not reached; shorter, since none is expected. */
const calledFromElsewhereWithinMs = 2_000
const dayMs = 86_400_000

export async function registerBirth(tour: Tour): Promise<Told> {
  const receiver = await openReceiver(tour)
  try {
    const asked = await tour.ask(client, service, birth(), { prefer: 'respond-async' })
    const location = asked.headers.get('location') ?? ''
    if (asked.status !== 202) return { story: [safeJson(asked.body)], checks: [statusIs(asked, 202)] }
    const underWay = await lookFor(() => readUnlessPlain(tour, location), deferredWithinMs)
    const settled = await tour.read(client, location, { prefer: 'wait=15' })
    const issued = memberOf(replyOf(settled), 'personalId')
    const called = await tellCallback(tour, receiver, { exchangeId: exchangeIdOf(asked), location, issued })
    return {
      story: [
        `asked with Prefer: respond-async; ${asked.status} in ${asked.tookMs.toFixed(0)} ms, Location: ${location}`,
        `status:   ${describe(underWay)}`,
        `later:    ${memberOf(settled.body, 'outcome')} ${safeJson(replyOf(settled))}`,
        ...called.story,
      ],
      checks: [
        statusIs(asked, 202),
        { claim: 'the register had it in its own care (deferred)', isSo: memberOf(settled.body, 'deferred') === true },
        {
          claim: 'it was answered, with a personal number',
          isSo: memberOf(settled.body, 'outcome') === 'answered' && typeof issued === 'string',
        },
        ...called.checks,
      ],
      isPartial: called.checks.length === 0,
    }
  } finally {
    if ('stop' in receiver) receiver.stop()
  }
}

/** Another one each time: a registration that has its number is told it at once. */
const birth = (): object => ({
  purpose: 'birth-registration',
  procedure: '1.001193',
  request: {
    birthRegistration: `TP.001/TOUR-${Date.now().toString(36).toUpperCase()}`,
    fullName: 'Nguyễn Minh An',
    dateOfBirth: new Date(Date.now() - dayMs).toISOString().slice(0, 10),
    sex: 'female',
    provinceCode: '001',
  },
})

/** Once there is more to tell than that it was accepted. */
async function readUnlessPlain({ read }: Tour, location: string): Promise<Answer | undefined> {
  const standing = await read(client, location)
  const isPlain = memberOf(standing.body, 'outcome') === 'accepted' && memberOf(standing.body, 'deferred') !== true
  return isPlain ? undefined : standing
}

const describe = (standing: Answer | undefined): string => {
  if (standing === undefined) return 'accepted'
  const isDeferred = memberOf(standing.body, 'deferred') === true
  return `${memberOf(standing.body, 'outcome')}${isDeferred ? ', deferred by the register' : ''}`
}

/** Only where the agreement says, and only on this machine. */
async function openReceiver({ registry, config }: Tour): Promise<Receiver | { why: string }> {
  const address = registry.agreements.get(client as never)?.callback?.url
  const secret = readCallbackSecret(config.dataDir, client)
  if (address === undefined || secret === undefined) return { why: `${client} has no callback address or secret` }
  const url = new URL(address)
  if (url.protocol !== 'http:' || !['127.0.0.1', '[::1]'].includes(url.hostname))
    return { why: `its agreement’s address, ${address}, is not this machine’s` }
  const receiver = await listenForCallbacks(url, secret)
  return 'why' in receiver ? { why: `nothing can listen at ${address} (${receiver.why})` } : receiver
}

async function tellCallback(
  tour: Tour,
  receiver: Receiver | { why: string },
  { exchangeId, location, issued }: { exchangeId: string; location: string; issued: unknown },
): Promise<{ story: string[]; checks: Claim[] }> {
  if ('why' in receiver) return { story: [`callback: not looked for: ${receiver.why}`], checks: [] }
  const ledger = await findLedger(tour)
  const isHere = 'policy' in ledger && ledger.isHere
  const body = await receiver.received(exchangeId, isHere ? calledWithinMs : calledFromElsewhereWithinMs)
  if (body !== undefined) {
    const data = memberOf(readJson(body), 'data')
    return {
      story: [`callback: ${body}`],
      checks: [
        {
          claim: 'the callback is signed (Standard Webhooks), says where to look and nothing of the child',
          isSo: memberOf(data, 'location') === location && !body.includes(String(issued)),
        },
      ],
    }
  }
  if (isHere) {
    const claim = 'a callback came (a ledger in a process of its own needs NDX_CALLBACK_NETWORKS=127.0.0.0/8)'
    return { story: [], checks: [{ claim, isSo: false }] }
  }
  return { story: ['callback: none came; a ledger elsewhere does not reach this machine’s loopback'], checks: [] }
}
