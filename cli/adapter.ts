// `ndx adapter`: writes a new adapter to begin with, and holds any adapter to the wire, in whatever language it is written.
import { type Contract } from '#contracts/contract.ts'
import { checkOnRoad } from './adapter-check.ts'
import { writeAdapter } from './adapter-new.ts'
import { defineCommand, UsageError } from './command.ts'
import { configOf } from './surroundings.ts'

const actions: readonly string[] = ['new', 'check']
const nameForm = /^[a-z][a-z0-9-]*$/
const idLengthMax = 60

export const command = defineCommand({
  positionals: ['<new|check>', '<provider>[/<service>]'],
  about: `new writes an adapter to begin with: a contract with examples, a handler, a test; and says what to add to
docker-compose.yml and which grant a client needs. It overwrites nothing.

check asks an adapter over the bus as a gateway would, in every way that may happen: the contract's examples, invalid requests,
deadlines, the same record twice, records that cannot be read, many at once, a crash, personal data where it must not be. It
prints a table: check, what it was about, result, what was seen, what to do. With NDX_KAFKA_BROKERS it asks whoever reads the
request topic there; with --command it starts that adapter itself, and kills it. Without brokers it runs the handlers of this
project on the embedded bus. It asks real questions and has the examples' effects done: for a test register, not for the one
in use. Exit status 0: conformant, 1: a fault was found or nothing could be checked.`,
  options: {
    agency: { type: 'string', value: 'code', about: 'new: official code of the agency that answers; default G22' },
    command: { type: 'string', value: 'line', about: 'check: the shell line that starts the adapter; needs brokers' },
    wait: { type: 'string', value: 'seconds', about: 'check: how long it may take to start; default 30' },
    json: { type: 'boolean', about: 'check: the report as JSON' },
  },
  examples: [
    ['adapter new museum/artefact-record --agency G17', 'a contract, a handler and a test to change'],
    ['adapter check population', 'the adapter of this project, on the embedded bus'],
    ['adapter check museum/artefact-record --json', 'one service, as JSON'],
    [
      'adapter check notary --command "java -cp \'libs/*\' NotaryAdapter.java"',
      'with NDX_KAFKA_BROKERS=127.0.0.1:9092 in front: one in another language, started and killed by the check',
    ],
  ],
  run: async ({ values, positionals: [action = '', id = ''] }, terminal) => {
    if (!actions.includes(action)) throw new UsageError('adapter takes new or check.')
    const [provider = '', service, ...more] = id.split('/')
    const isNamed = [provider, service ?? provider].every(name => nameForm.test(name))
    if (!isNamed || more.length > 0 || id.length > idLengthMax)
      throw new UsageError(
        `a service is named <provider>/<service>, in small letters, digits and hyphens, at most ${idLengthMax} characters.`,
      )
    if (action === 'new') {
      if (service === undefined) throw new UsageError('new takes <provider>/<service>.')
      return writeAdapter({ provider, service, agency: values.agency }, terminal)
    }
    const { wait = '30', json, command: line } = values
    if (!/^[1-9]\d{0,2}$/.test(wait)) throw new UsageError('--wait is a whole number of seconds, from 1 to 999.')
    const config = configOf(terminal)
    if (line !== undefined && config.kafkaBrokers === undefined)
      throw new UsageError('--command needs NDX_KAFKA_BROKERS: a process of its own does not reach the embedded bus.')
    const asked = { provider, service: id as Contract['id'], isWhole: service === undefined }
    return checkOnRoad({ ...asked, line, startMs: Number(wait) * 1000, isJson: json === true, config }, terminal)
  },
})
