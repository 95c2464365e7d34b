// `ndx start`: the whole exchange in this process, on the embedded bus and counters. No server, no Docker. Tells where it
// answers and where its ledger is, and prints one question that works as it stands.
import { type AddressInfo, createServer } from 'node:net'
import { type Contract } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { type Config } from '#runtime/config.ts'
import { runProcess } from '#runtime/lifetime.ts'
import { type Log } from '#runtime/log.ts'
import { defineCommand } from './command.ts'
import { type EmbeddedExchange, startEmbedded } from './embedded.ts'
import { addressOf, defaultLedgerUrl, defaultUrl, logFileOf, shownPath } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

export { type EmbeddedExchange, startEmbedded } from './embedded.ts'

/** What NDX_ISSUER is while nobody sets it: the address at which the gateway is reached. */
const issuerFollowsPort = 'the gateway’s own address'
const exampleClient = 'social-insurance'
const exampleService = 'population/identity-verification'
/** What ledger and witness say when another process works on their files. */
const isInUse = /in use by another ledger|another witness works/
/** The nation whose people the contracts' examples are about; another nation has others. */
const exampleSeed = 1

export const command = defineCommand({
  positionals: [],
  about: `Runs gateway, ledger, adapters and synthetic nation in this process, on an embedded bus and embedded counters: no server
is needed. Prints the addresses and a question to paste into another terminal. Secrets, the ledger and the registers' stores are
kept under NDX_DATA_DIR (default data); what is on the bus ends with the process. Ctrl-C stops it; questions under way are
answered first.

Settings: NDX_PORT (8080), NDX_OPERATIONS_PORT (9464), NDX_LEDGER_PORT (9470), 0 for any free port; NDX_LOG_FILE
(data/log/ndx.log); README has all.`,
  options: {},
  examples: [
    ['start', 'the gateway on http://127.0.0.1:8080'],
    [
      'start',
      'with NDX_DATA_DIR=data2 NDX_PORT=8081 NDX_OPERATIONS_PORT=9465 NDX_LEDGER_PORT=9471 in front: a second one',
    ],
  ],
  staysAlive: true,
  run: async (_, terminal) => {
    const { environment } = terminal
    await runProcess((config, log) => start(config, log, terminal), {
      NDX_ISSUER: issuerFollowsPort,
      NDX_LOG_FILE: logFileOf({ dataDir: environment['NDX_DATA_DIR'] || 'data' }),
    })
    return 0
  },
})

async function start(given: Config, log: Log, terminal: Terminal): Promise<{ stop(): Promise<void> }> {
  if (given.kafkaBrokers !== undefined) {
    terminal.say(
      '`start` runs everything in this process; NDX_KAFKA_BROKERS is not used. The real stack: `docker compose up --wait`,\nor `node gateway/main.ts` and `node services/main.ts <provider>` for each provider.',
    )
  }
  const config = await settle(given)
  const exchange = await startOrTell(config, log)
  // Told once the process listens to signals: whoever reads it may press Ctrl-C at once.
  setImmediate(() => {
    const { state, detail } = exchange.ledger.standing
    if (state === 'behind') terminal.say(`The ledger signs nothing: ${detail}`)
    return terminal.write(describe(exchange, config, terminal))
  })
  return {
    stop: async () => {
      terminal.say('stopping: what is under way is answered first')
      await exchange.stop()
    },
  }
}

/** The issuer is part of what the gateway says of itself, so a free port is chosen before it listens. */
async function settle(config: Config): Promise<Config> {
  const port = config.port === 0 ? await findFreePort(config.host) : config.port
  const issuer = config.issuer === issuerFollowsPort ? addressOf(config.host, port) : config.issuer
  return Object.freeze({ ...config, port, issuer })
}

function findFreePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject).listen(0, host, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function startOrTell(config: Config, log: Log): Promise<EmbeddedExchange> {
  try {
    return await startEmbedded(config, log)
  } catch (error) {
    const hint = describeConflict(error as NodeJS.ErrnoException, config)
    if (hint === undefined) throw error
    throw new Error(`ndx start: ${hint}`, { cause: error })
  }
}

/** undefined: it is not that something else has what this one needs. */
function describeConflict(
  { code, port = 0, message }: NodeJS.ErrnoException & { port?: number },
  { operationsPort, ledgerPort, dataDir }: Config,
): string | undefined {
  if (isInUse.test(message))
    return `an exchange already runs on ${shownPath(dataDir)}.\nStop it, or start this one beside it: NDX_DATA_DIR=data2 NDX_PORT=0 NDX_OPERATIONS_PORT=0 NDX_LEDGER_PORT=0 npx ndx start`
  if (code !== 'EADDRINUSE') return undefined
  const names = new Map([
    [operationsPort, 'NDX_OPERATIONS_PORT'],
    [ledgerPort, 'NDX_LEDGER_PORT'],
  ])
  return `port ${port} is taken; perhaps an exchange already runs there.\nStop it, or choose another port: ${names.get(port) ?? 'NDX_PORT'}=${port + 1} npx ndx start`
}

function describe(
  { registry, gateway, ledger }: EmbeddedExchange,
  config: Config,
  { environment, paint }: Terminal,
): string {
  const url = addressOf(config.host, config.port)
  const ledgerUrl = addressOf(config.ledgerHost, Number(new URL(ledger.url).port))
  const ledgerOption = ledgerUrl === defaultLedgerUrl ? '' : ` --ledger ${ledgerUrl}`
  const logFile = shownPath(logFileOf(config))
  const isUsualLog = logFile === 'data/log/ndx.log'
  const seconds = (performance.now() / 1000).toFixed(1)
  const question = findQuestion(registry, config)
  return `${paint('bold', 'NDX is ready')} after ${seconds} s: ${registry.services.length} services, ${registry.agreements.size} clients, everything in this process.

  gateway     ${url}
  documents   ${url}/docs
  operations  ${gateway.operationsUrl}/metrics
  ledger      ${ledgerUrl}   (npx ndx audit reconcile${ledgerOption})
  log         ${logFile}   (npx ndx watch${isUsualLog ? '' : ` --file ${quoteForShell(logFile)}`})
${question === undefined ? '' : `\nAsk as an agency would, in another terminal:\n\n${toCurl(question, { url, environment })}\n`}
Then: npx ndx demo${url === defaultUrl ? '' : ` --url ${url}`}${ledgerOption}. Ctrl-C stops.
`
}

/** The first example of the contract that the client may ask, about somebody of this nation. */
function findQuestion(registry: Registry, { nationSeed }: Config): object | undefined {
  const contract = registry.find(exampleService)?.contract
  const grant = registry.agreements
    .get(exampleClient as never)
    ?.grants.find(({ service }) => service === exampleService)
  const example = contract?.examples.find(({ purpose }) => grant?.purposes.includes(purpose))
  if (contract === undefined || example === undefined) return undefined
  return { purpose: example.purpose, request: requestAbout(example, nationSeed) }
}

function requestAbout({ request }: Contract['examples'][number], seed: number): object {
  if (seed === exampleSeed) return request
  const { personalId, fullName, dateOfBirth } = createNation({ seed }).person(0)
  return { personalId, fullName, dateOfBirth }
}

function toCurl(question: object, { url, environment }: { url: string } & Pick<Terminal, 'environment'>): string {
  const dataDir = environment['NDX_DATA_DIR']
  const token = [
    ...(dataDir ? [`NDX_DATA_DIR=${quoteForShell(dataDir)}`] : []),
    `npx ndx token ${exampleClient}`,
    ...(url === defaultUrl && !environment['NDX_URL'] ? [] : [`--url ${url}`]),
  ].join(' ')
  return [
    `curl -s ${url}/v1/services/${exampleService}`,
    `-H "authorization: Bearer $(${token})"`,
    "-H 'content-type: application/json'",
    `-d ${quoteForShell(JSON.stringify(question))}`,
  ].join(' ')
}

const quoteForShell = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
