// `ndx ask`: one question as a client, with what is not said filled in from the agreement and the contract's examples.
import { type Contract, type Example, type Grant } from '#contracts/contract.ts'
import { isJsonObject, type Json, type JsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { depthMax, readJson } from '#contracts/strict-json.ts'
import { createChance } from '#nation/chance.ts'
import { createNation, type Nation } from '#nation/nation.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { escapeText, safeJson } from './safe-text.ts'
import { findContract } from './services.ts'
import { createDraws } from './simulate/draws.ts'
import { type MakerTools, type Question } from './simulate/maker.ts'
import { makers } from './simulate/makers.ts'
import { type Answer, askService, fetchToken } from './simulated-client.ts'
import { configOf, readIndex, registryOf, urlOf } from './surroundings.ts'

interface Wishes {
  purpose?: string
  procedure?: string
  officer?: string
  field?: string[]
  data?: string
  example?: string
  person?: string
  enterprise?: string
}

export const command = defineCommand({
  positionals: ['<client>', '<service>'],
  about: `Asks a service as a client, and prints the answer or the problem. What is not said comes from the client's grant (purpose,
procedure) and from the contract's first example (request). Exit status 0 when it was answered, else 1.`,
  options: {
    purpose: {
      type: 'string',
      value: 'code',
      about: 'default: the example’s if granted, else the first that is granted',
    },
    procedure: { type: 'string', value: 'code', about: 'default: the first that the grant names' },
    officer: { type: 'string', value: 'code', about: 'the officer who asks; in the log only a pseudonym' },
    field: { type: 'string', multiple: true, value: 'name', about: 'only these fields; default all that are granted' },
    data: { type: 'string', value: 'json', about: 'the request itself' },
    example: { type: 'string', value: 'n', about: 'the request of the contract’s example n, from 1' },
    person: {
      type: 'string',
      value: 'n',
      about: 'a request about person n of the nation: home, land, card, benefit, birth',
    },
    enterprise: { type: 'string', value: 'n', about: 'a request about enterprise n of the nation' },
    url: { type: 'string', value: 'url', about: 'the gateway; default NDX_URL, else http://127.0.0.1:8080' },
  },
  examples: [
    ['ask social-insurance population/identity-verification', 'matches the contract’s first example'],
    ['ask social-insurance population/citizen-record --person 4711 --field fullName', 'one field of one record'],
    ['ask one-stop-ha-noi land/ownership-verification --person 4702', 'whether that person owns their land'],
    ['ask bank population/citizen-record', 'is refused, and told why'],
    [
      `ask public-service-portal business-registration/enterprise-record --data '{"enterpriseCode":"2100584318"}'`,
      'a request of your own',
    ],
  ],
  run: async ({ values: { url, ...wishes }, positionals: [client = '', service = ''] }, terminal) => {
    const config = configOf(terminal)
    const address = urlOf(url, terminal)
    const registry = registryOf(config)
    const contract = findContract(registry, service)
    const envelope = compose(wishes, contract, findGrant(registry, client, contract), config.nationSeed)
    const token = await fetchToken({ url: address, dataDir: config.dataDir, client })
    const answer = await askService({ url: address, token }, contract.id, envelope)
    terminal.say(summarize(answer))
    await terminal.write(`${safeJson(answer.body, 2)}\n`)
    return answer.status === 200 ? 0 : 1
  },
})

const findGrant = (registry: Registry, client: string, { id }: Contract): Grant | undefined =>
  registry.agreements.get(client as never)?.grants.find(grant => grant.service === id)

/** The envelope to send. What is said is sent as it was said, granted or not: refusing is the gateway's business. */
function compose(wishes: Wishes, contract: Contract, grant: Grant | undefined, seed: number): JsonObject {
  const example = exampleOf(wishes, contract)
  const isGranted = grant === undefined || grant.purposes.includes(example?.purpose ?? '')
  const purpose =
    wishes.purpose ?? (isGranted ? example?.purpose : grant.purposes[0]) ?? contract.purposes[0]?.code ?? ''
  const procedure = wishes.procedure ?? grant?.procedures[0]
  return {
    purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(wishes.officer === undefined ? {} : { officer: wishes.officer }),
    ...(wishes.field === undefined ? {} : { fields: wishes.field }),
    request: requestOf(wishes, contract, example, seed),
  }
}

function exampleOf({ example }: Wishes, { id, examples }: Contract): Example | undefined {
  if (example === undefined) return examples[0]
  const found = /^\d{1,3}$/.test(example) ? examples[Number(example) - 1] : undefined
  if (found === undefined) throw new UsageError(`--example is a number from 1 to ${examples.length} for ${id}.`)
  return found
}

function requestOf(wishes: Wishes, contract: Contract, example: Example | undefined, seed: number): Json {
  const ways = [wishes.data, wishes.example, wishes.person, wishes.enterprise].filter(way => way !== undefined)
  if (ways.length > 1)
    throw new UsageError('only one of --data, --example, --person and --enterprise can say the request.')
  if (wishes.data !== undefined) return parseData(wishes.data)
  const nation = createNation({ seed })
  const maker = makers[contract.id]
  if (wishes.person !== undefined) {
    const person = nation.person(readIndex(wishes.person, nation.population))
    if (maker?.about === undefined) return requestAbout(person as unknown as JsonObject, contract)
    return requestOfMaker(maker.about(person, toolsFor(nation, person)), `person ${wishes.person}`, contract)
  }
  if (wishes.enterprise !== undefined) {
    const enterprise = nation.enterprise(readIndex(wishes.enterprise, nation.enterpriseCount))
    if (maker?.aboutEnterprise === undefined) return requestAbout(enterprise as unknown as JsonObject, contract)
    const question = maker.aboutEnterprise(enterprise, toolsFor(nation, enterprise))
    return requestOfMaker(question, `enterprise ${wishes.enterprise}`, contract)
  }
  if (example === undefined) throw new CommandError(`${contract.id} has no example; say the request with --data.`)
  return example.request
}

function parseData(text: string): Json {
  const data = readJson(text)
  if (data !== undefined) return data
  throw new UsageError(`--data is not JSON, or nested deeper than ${depthMax}: ${escapeText(text.slice(0, 100))}`)
}

/** The same dice and the same label for the same one, so that asked again it is the same question. */
const toolsFor = (nation: Nation, { index }: { index: number }): MakerTools => ({
  nation,
  draws: createDraws(createChance(askSeed), index, 0),
  label: `ASK${index}`,
})

const askSeed = 1

function requestOfMaker(question: Question | undefined, who: string, { id }: Contract): JsonObject {
  if (question === undefined) throw new UsageError(`of ${who} there is nothing to ask ${id}: try another.`)
  return question.request
}

/** What the contract needs to be told, from a record of the nation. */
function requestAbout(record: JsonObject, { id, request }: Contract): JsonObject {
  const { required } = request
  const names = Array.isArray(required) ? required.map(String) : []
  const missing = names.filter(name => record[name] === undefined)
  if (missing.length > 0 || !isJsonObject(record))
    throw new UsageError(`${id} asks for ${missing.join(', ')}, which this record does not have.`)
  return Object.fromEntries(names.map(name => [name, record[name] as Json]))
}

function summarize({ status, headers, tookMs }: Answer): string {
  const retryAfter = headers.get('retry-after')
  const wait = retryAfter === null ? '' : `, retry after ${escapeText(retryAfter)} s`
  return `${status} in ${tookMs.toFixed(0)} ms, exchange ${escapeText(headers.get('exchange-id') ?? '-')}${wait}`
}
