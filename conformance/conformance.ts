// Holds an adapter to the wire, in whatever language it is written: asks it over the bus as a gateway would, in every way that may
// happen, and says what was seen. Asks real questions and has real effects done: for a test register, never for the one in use.
import { type Bus } from '#bus/bus.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type Candidate } from './candidate.ts'
import { checkCrash } from './checks/crash.ts'
import { checkDeadline } from './checks/deadline.ts'
import { checkEnvelope } from './checks/envelope.ts'
import { checkExamples } from './checks/examples.ts'
import { checkFields } from './checks/fields.ts'
import { checkInvalid } from './checks/invalid.ts'
import { askMarked, judgePersonalData } from './checks/personal-data.ts'
import { checkPoison } from './checks/poison.ts'
import { checkRedelivery } from './checks/redelivery.ts'
import { checkSlow } from './checks/slow.ts'
import { createMarks } from './marks.ts'
import { askPatiently } from './questions.ts'
import { type CheckName, type Finding, fault, ok, type Report, skipped, type Verdict } from './report.ts'
import { RoadClient } from './road-client.ts'
import { probeOf, type Trial } from './trial.ts'

export interface ConformanceOptions {
  /** Of one provider; at least one. */
  services: readonly Service[]
  bus: Bus
  /** Started, killed and stopped by the run; undefined: it runs already. */
  candidate?: Candidate
  /** How long a reply is waited for. */
  patienceMs?: number
  /** How long it may take until the first question is answered. */
  startMs?: number
  /** How long the next one may take to take over from one that was killed. */
  takeOverMs?: number
  /** Told before each check. */
  onCheck?(check: CheckName, about: string): void
}

type ServiceCheck = (trial: Trial, service: Service) => Promise<Verdict>
type ProviderCheck = (trial: Trial) => Promise<Verdict>

/** In this order: what an adapter may not survive comes last. */
const checks: readonly ([CheckName, 'service', ServiceCheck] | [CheckName, 'provider', ProviderCheck])[] = [
  ['examples', 'service', checkExamples],
  ['envelope', 'service', checkEnvelope],
  ['fields', 'service', checkFields],
  ['deadline', 'service', checkDeadline],
  ['redelivery', 'service', checkRedelivery],
  ['slow', 'provider', checkSlow],
  ['crash', 'provider', checkCrash],
  ['invalid', 'service', checkInvalid],
  ['poison', 'provider', checkPoison],
]

/** A group misses a dead member only when its session is over: seconds, up to 45 as Kafka's own client is set up. */
const takeOverMaxMs = 60_000

/** Rejects when the road is away. Whatever the adapter does becomes a finding. */
export async function checkAdapter(options: ConformanceOptions): Promise<Report> {
  const { services, bus, candidate, patienceMs = 10_000, startMs = 30_000, onCheck = () => {} } = options
  const { takeOverMs = takeOverMaxMs } = options
  const provider = services[0]?.providerId as ProviderId
  const findings: Finding[] = []
  const client = await RoadClient.open({ bus, provider, patienceMs })
  const trial: Trial = {
    provider,
    services,
    client,
    candidate,
    startMs,
    takeOverMs,
    marks: createMarks(services),
    isFaulty: (check, { contract }) =>
      findings.some(one => one.check === check && one.about === contract.id && one.result === 'fault'),
  }
  try {
    await candidate?.start()
    onCheck('reachable', provider)
    const reached = await reach(trial)
    findings.push({ check: 'reachable', about: provider, ...reached })
    if (reached.result === 'ok') await runChecks(trial, findings, onCheck)
  } finally {
    await candidate?.stop()
    await client.close()
  }
  if (findings.length > 1) findings.push({ check: 'personal-data', about: provider, ...judgePersonalData(trial) })
  return { provider, isConformant: findings.every(({ result }) => result !== 'fault'), findings }
}

async function runChecks(
  trial: Trial,
  findings: Finding[],
  onCheck: (check: CheckName, about: string) => void,
): Promise<void> {
  for (const [check, kind, run] of checks) {
    const abouts = kind === 'service' ? trial.services.map(service => ({ service })) : [{ service: probeOf(trial) }]
    for (const { service } of abouts) {
      const about = kind === 'service' ? service.contract.id : trial.provider
      onCheck(check, about)
      const verdict = (await findUnfit(trial, findings)) ?? (await run(trial, service))
      findings.push({ check, about, ...withEnd(verdict, trial.candidate) })
    }
    // Before the poison, which it may not survive.
    if (check === 'invalid' && (await findUnfit(trial, findings)) === undefined) await askMarked(trial)
  }
}

/** The first question may be on the topic before the adapter is, and is answered all the same. */
async function reach({ client, candidate, startMs, ...trial }: Trial): Promise<Verdict> {
  const askedMs = performance.now()
  const question = await client.ask(askPatiently(probeOf(trial), startMs * 2))
  const { reply, isDeferred } = await client.ending(question, 1, startMs)
  if (reply !== undefined || isDeferred) return ok(`answers after ${Math.round(performance.now() - askedMs)} ms`)
  const end = candidate?.ended()
  return fault(
    `no reply within ${startMs / 1000} s${end === undefined ? '' : `; its process ${end}: ${lastLine(candidate)}`}`,
    `Is it running? It reads ndx.request.${trial.provider} as group adapter-${trial.provider}, from the oldest record on.`,
  )
}

/** After a fault it may answer no more: then it is started again, and if that does not help, nothing else can be found out. */
async function findUnfit(trial: Trial, findings: readonly Finding[]): Promise<Verdict | undefined> {
  const last = findings.at(-1)
  if (last?.result === 'ok' || (await isAnswering(trial))) return undefined
  if (trial.candidate !== undefined) {
    await trial.candidate.kill()
    await trial.candidate.start()
    if (await isAnswering(trial, trial.startMs)) return undefined
  }
  const since = findings.findLast(({ result }) => result === 'fault')?.check
  return skipped(`it answers no more since ${since}`, `Mend ${since} first.`)
}

async function isAnswering(trial: Trial, patienceMs?: number): Promise<boolean> {
  const { client } = trial
  const question = await client.ask(askPatiently(probeOf(trial), trial.startMs * 2))
  const { reply, isDeferred } = await client.ending(question, 1, patienceMs)
  return reply !== undefined || isDeferred
}

/** A fault that was the end of its process says so. */
function withEnd(verdict: Verdict, candidate: Candidate | undefined): Verdict {
  const end = candidate?.ended()
  return verdict.result !== 'fault' || end === undefined
    ? verdict
    : { ...verdict, seen: `${verdict.seen}; its process ${end}` }
}

const lastLine = (candidate: Candidate | undefined): string =>
  (candidate?.output() ?? '').trimEnd().split('\n').at(-1)?.slice(0, 200) ?? ''
