// The steps of the tour: each asks the exchange something, says in a few lines what came of it, and claims what must be so.
import { open } from 'node:fs/promises'
import { type Registry } from '#contracts/registry.ts'
import { type Person } from '#nation/person.ts'
import { type Config } from '#runtime/config.ts'
import { safeJson } from './safe-text.ts'
import { type Answer, memberOf } from './simulated-client.ts'
import { logFileOf, shownPath } from './surroundings.ts'

export interface Tour {
  readonly url: string
  readonly config: Config
  readonly registry: Registry
  /** Somebody this tour has not asked about. */
  nextPerson(): Person
  ask(client: string, service: string, envelope: object): Promise<Answer>
}

export interface Told {
  story: string[]
  checks: { claim: string; isSo: boolean }[]
}

export interface Step {
  title: string
  run(tour: Tour): Promise<Told>
}

const verification = 'population/identity-verification'
const record = 'population/citizen-record'
const enrolment = 'social-insurance-enrolment'
const burstSize = 20
const burstsMax = 5
const logWaitMs = 2000
const logTailBytes = 256 * 1024

export const steps: readonly Step[] = [
  { title: 'Who may ask', run: introduceClients },
  { title: 'Social insurance asks whether a number, a name and a date belong together', run: matchPerson },
  { title: 'With another name the answer is no, and only no', run: mismatchPerson },
  { title: 'The bank asks for a record that its agreement does not grant', run: refuseService },
  { title: 'Social insurance gets the fields it was granted, and no other', run: discloseFields },
  { title: 'A purpose that nobody granted', run: refusePurpose },
  { title: 'A request that is not what the contract says', run: refuseRequest },
  { title: 'The bank asks faster than agreed', run: exceedRate },
  { title: 'What was written down', run: findAuditLine },
]

async function introduceClients({ registry }: Tour): Promise<Told> {
  const agreements = [...registry.agreements.values()]
  return {
    story: agreements.flatMap(({ client, name, grants }) => [
      `${client}: ${name.en} (${name.vi})`,
      ...grants.map(({ service, mode, fields }) => `  may ${mode} ${service}: ${fields.join(', ')}`),
    ]),
    checks: ['social-insurance', 'bank'].map(client => ({
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

async function findAuditLine({ ask, nextPerson, config }: Tour): Promise<Told> {
  const person = nextPerson()
  const answer = await ask('social-insurance', verification, { purpose: enrolment, request: identityOf(person) })
  const exchangeId = answer.headers.get('exchange-id') ?? '-'
  const line = await findLine(logFileOf(config), exchangeId)
  const hint = [
    `Every exchange and every refusal leaves one line; the last one is exchange ${exchangeId}.`,
    `Embedded: npx ndx watch   (${shownPath(logFileOf(config))})`,
    'Compose:  docker compose logs --no-log-prefix -f gateway | npx ndx watch -',
  ]
  const isKept = { claim: 'the exchange has an id to find it by', isSo: exchangeId.length === 36 }
  if (line === undefined) return { story: hint, checks: [isKept] }
  return {
    story: [...hint, line],
    checks: [
      isKept,
      {
        claim: 'the line names nobody: the subject is a pseudonym',
        isSo: !line.includes(person.personalId) && !line.includes(person.fullName),
      },
    ],
  }
}

/** The log is written behind the answer. A gateway that logs elsewhere has no line here. */
async function findLine(path: string, exchangeId: string): Promise<string | undefined> {
  const giveUpMs = performance.now() + logWaitMs
  do {
    const text = await readTail(path)
    if (text === undefined) return undefined
    const line = text.split('\n').find(candidate => candidate.includes(`"exchangeId":"${exchangeId}"`))
    if (line !== undefined) return line
    await new Promise(resolve => setTimeout(resolve, 50))
  } while (performance.now() < giveUpMs)
  return undefined
}

/** The end of a file; undefined when there is none. */
async function readTail(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    const length = Math.min(size, logTailBytes)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8')
  } finally {
    await file.close()
  }
}

const identityOf = ({ personalId, fullName, dateOfBirth }: Person) => ({ personalId, fullName, dateOfBirth })
const replyOf = ({ body }: Answer): unknown => memberOf(body, 'reply')
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const isReply = (answer: Answer, matched: boolean): boolean => isSame(replyOf(answer), { matched })
const timingOf = ({ tookMs, headers }: Answer): string =>
  `in ${tookMs.toFixed(0)} ms, as exchange ${headers.get('exchange-id') ?? '-'}`

const statusIs = ({ status }: Answer, expected: number) => ({
  claim: status === expected ? `status ${status}` : `status ${expected} (it is ${status})`,
  isSo: status === expected,
})

const codeIs = ({ body }: Answer, expected: string) => {
  const code = String(memberOf(body, 'code'))
  return { claim: code === expected ? `code ${code}` : `code ${expected} (it is ${code})`, isSo: code === expected }
}

/** A refusal that can be acted on. */
const explains = ({ body }: Answer) =>
  (['detail', 'agreement', 'legalBasis', 'remedy'] as const).map(name => ({
    claim: `it names its ${name === 'legalBasis' ? 'legal basis' : name}`,
    isSo: memberOf(body, name) !== undefined,
  }))

function storyOfProblem({ status, body }: Answer): string[] {
  const lines: [string, unknown][] = [
    ['refused:    ', `${status} ${memberOf(body, 'code')}: ${memberOf(body, 'title')}`],
    ['reason:     ', memberOf(body, 'detail')],
    ['agreement:  ', memberOf(body, 'agreement')],
    ['legal basis:', memberOf(body, 'legalBasis')],
    ['remedy:     ', memberOf(memberOf(body, 'remedy'), 'en')],
    ['            ', memberOf(memberOf(body, 'remedy'), 'vi')],
  ]
  return lines.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`)
}
