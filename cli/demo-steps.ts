// The steps of the tour, in order; here those of a question that is answered or refused at once, the others in a file each. Each
// asks the exchange something, says in a few lines what came of it, and claims what must be so.
import { findAuditLine } from './demo-audit-line.ts'
import { registerBirth } from './demo-birth.ts'
import {
  codeIs,
  explains,
  identityOf,
  isReply,
  isSame,
  replyOf,
  statusIs,
  storyOfProblem,
  timingOf,
} from './demo-claims.ts'
import { surviveCrash } from './demo-crash.ts'
import { verifyEvidence } from './demo-evidence.ts'
import { retry } from './demo-retry.ts'
import { enrolment, type Step, type Told, type Tour, verification } from './demo-tour.ts'
import { safeJson } from './safe-text.ts'
import { type Answer, memberOf } from './simulated-client.ts'

const record = 'population/citizen-record'
/** Who asks on the tour. */
const tourists: readonly string[] = ['social-insurance', 'public-service-portal', 'bank']
const burstSize = 20
const burstsMax = 5

export const steps: readonly Step[] = [
  { title: 'Who may ask', run: introduceClients },
  { title: 'Social insurance asks whether a number, a name and a date belong together', run: matchPerson },
  { title: 'With another name the answer is no, and only no', run: mismatchPerson },
  { title: 'The bank asks for a record that its agreement does not grant', run: refuseService },
  { title: 'Social insurance gets the fields it was granted, and no other', run: discloseFields },
  { title: 'A purpose that nobody granted', run: refusePurpose },
  { title: 'A request that is not what the contract says', run: refuseRequest },
  { title: 'The bank asks faster than agreed', run: exceedRate },
  {
    title: 'The portal registers a birth and does not wait: accepted, later answered, and called back',
    run: registerBirth,
  },
  { title: 'The same question again with its key, as after a broken connection', run: retry },
  { title: 'A gateway is killed in the middle of a question', run: surviveCrash },
  { title: 'What was written down', run: findAuditLine },
  { title: 'A receipt that proves itself, and an edited export', run: verifyEvidence },
]

async function introduceClients({ registry }: Tour): Promise<Told> {
  const agreements = [...registry.agreements.values()].filter(({ client }) => tourists.includes(client))
  const others = registry.agreements.size - agreements.length
  return {
    story: [
      ...agreements.flatMap(({ client, name, grants }) => [
        `${client}: ${name.en} (${name.vi})`,
        ...grants.map(({ service, mode, fields }) => `  may ${mode} ${service}: ${fields.join(', ')}`),
      ]),
      ...(others === 0 ? [] : [`and ${others} more: npx ndx clients`]),
    ],
    checks: tourists.map(client => ({
      claim: `there is an agreement with ${client}`,
      isSo: registry.agreements.has(client as never),
    })),
  }
}

async function matchPerson({ ask, nextPerson }: Tour): Promise<Told> {
  const person = nextPerson()
  const answer = await ask('social-insurance', verification, { purpose: enrolment, request: identityOf(person) })
  return {
    story: [`asked:    ${safeJson(identityOf(person))}`, `answered: ${safeJson(replyOf(answer))}`, timingOf(answer)],
    checks: [
      statusIs(answer, 200),
      { claim: 'the reply is {"matched":true} and nothing else', isSo: isReply(answer, true) },
    ],
  }
}

async function mismatchPerson({ ask, nextPerson }: Tour): Promise<Told> {
  const request = { ...identityOf(nextPerson()), fullName: 'Không Phải Tên Này' }
  const answer = await ask('social-insurance', verification, { purpose: enrolment, request })
  return {
    story: [
      `asked:    ${safeJson(request)}`,
      `answered: ${safeJson(replyOf(answer))}`,
      'An unknown number would get the same answer; five such guesses a day about one person are all there are.',
    ],
    checks: [
      statusIs(answer, 200),
      { claim: 'the reply is {"matched":false} and nothing else', isSo: isReply(answer, false) },
    ],
  }
}

async function refuseService({ ask, nextPerson }: Tour): Promise<Told> {
  const { personalId } = nextPerson()
  const answer = await ask('bank', record, { purpose: 'customer-identification', request: { personalId } })
  return {
    story: storyOfProblem(answer),
    checks: [statusIs(answer, 403), codeIs(answer, 'NDX_SERVICE_NOT_GRANTED'), ...explains(answer)],
  }
}

async function discloseFields({ ask, nextPerson, registry }: Tour): Promise<Told> {
  const person = nextPerson()
  const contract = registry.find(record)?.contract
  const grant = registry.agreements.get('social-insurance' as never)?.grants.find(({ service }) => service === record)
  const all = contract?.fields.map(({ name }) => name) ?? []
  const granted = all.filter(name => grant?.fields.includes(name))
  const answer = await ask('social-insurance', record, {
    purpose: enrolment,
    procedure: grant?.procedures[0],
    request: { personalId: person.personalId },
  })
  const reply = replyOf(answer)
  const released = Object.keys(typeof reply === 'object' && reply !== null ? reply : {})
  const isTrue = released.every(name => name === 'found' || isSame(memberOf(reply, name), memberOf(person, name)))
  return {
    story: [
      `the contract has: ${all.join(', ')}`,
      `released:         ${released.join(', ')}`,
      `kept back:        ${all.filter(name => !released.includes(name)).join(', ')}`,
      `answered: ${safeJson(reply)}`,
    ],
    checks: [
      statusIs(answer, 200),
      { claim: 'exactly the granted fields were released', isSo: isSame([...released].sort(), [...granted].sort()) },
      { claim: 'they are the register’s', isSo: released.length > 1 && isTrue },
    ],
  }
}

async function refusePurpose({ ask, nextPerson }: Tour): Promise<Told> {
  const answer = await ask('social-insurance', verification, {
    purpose: 'curiosity',
    request: identityOf(nextPerson()),
  })
  return {
    story: storyOfProblem(answer),
    checks: [statusIs(answer, 403), codeIs(answer, 'NDX_PURPOSE_NOT_GRANTED'), ...explains(answer)],
  }
}

async function refuseRequest({ ask }: Tour): Promise<Told> {
  const request = { personalId: '12345', fullName: 'Nguyễn Văn An', dateOfBirth: '31/01/1990', note: 'hello' }
  const answer = await ask('social-insurance', verification, { purpose: enrolment, request })
  const errors = memberOf(answer.body, 'errors')
  const faults = Array.isArray(errors) ? errors : []
  const pointers = faults.map(fault => String(memberOf(fault, 'pointer')))
  return {
    story: [
      `asked: ${safeJson(request)}`,
      ...storyOfProblem(answer),
      ...faults.map(fault => `  ${memberOf(fault, 'pointer')}: ${memberOf(fault, 'detail')}`),
    ],
    checks: [
      statusIs(answer, 422),
      codeIs(answer, 'NDX_REQUEST_INVALID'),
      { claim: 'the faults are pointed at', isSo: pointers.some(pointer => pointer.startsWith('/request/personalId')) },
    ],
  }
}

/** On a slow machine a burst may be let through as it trickles in, so there may be more than one. */
async function exceedRate({ ask, nextPerson, registry }: Tour): Promise<Told> {
  const grant = registry.agreements.get('bank' as never)?.grants.find(({ service }) => service === verification)
  const askOnce = (): Promise<Answer> =>
    ask('bank', verification, { purpose: 'customer-identification', request: identityOf(nextPerson()) })
  const answers: Answer[] = []
  let refused: Answer | undefined
  for (let bursts = 0; refused === undefined && bursts < burstsMax; bursts++) {
    answers.push(...(await Promise.all(Array.from({ length: burstSize }, askOnce))))
    refused = answers.find(({ status }) => status === 429)
  }
  const counted = (status: number): number => answers.filter(answer => answer.status === status).length
  const retryAfter = Number(refused?.headers.get('retry-after') ?? 0)
  return {
    story: [
      `granted: ${grant?.ratePerSecond} a second, ${grant?.burst} at once`,
      `of ${answers.length} questions ${counted(200)} were answered, ${counted(429)} refused`,
      ...(refused === undefined ? [] : [...storyOfProblem(refused), `Retry-After: ${retryAfter} s`]),
    ],
    checks: [
      { claim: 'some were refused with 429', isSo: refused !== undefined },
      { claim: 'they were told when to come again', isSo: retryAfter >= 1 },
      { claim: 'the others were answered', isSo: counted(200) + counted(429) === answers.length },
    ],
  }
}
