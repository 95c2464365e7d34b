// `ndx audit`: what the ledger recorded, for whoever does not want to take its word for it. `verify` and `diff` need only files and
// public keys; the others ask a ledger and verify what it says.
import { checkpoint, exportLog, prove, reconcile } from './audit-ledger.ts'
import { story } from './audit-story.ts'
import { type AuditOptions, trustOf } from './audit-trust.ts'
import { diff, verify } from './audit-verify.ts'
import { type Command, defineCommand, UsageError } from './command.ts'
import { type Terminal } from './terminal.ts'

interface Action {
  /** What its arguments are called. */
  needs: readonly string[]
  run(words: readonly string[], options: AuditOptions, terminal: Terminal): Promise<number>
}

const actions: Readonly<Record<string, Action>> = {
  verify: { needs: ['a file'], run: ([path = ''], options, terminal) => verify(path, options, terminal) },
  prove: { needs: ['an exchange id'], run: ([exchange = ''], options, terminal) => prove(exchange, options, terminal) },
  export: { needs: [], run: (_, options, terminal) => exportLog(options, terminal) },
  diff: { needs: ['a file', 'another'], run: ([a = '', b = ''], _, terminal) => diff(a, b, terminal) },
  checkpoint: { needs: [], run: (_, options, terminal) => checkpoint(options, terminal) },
  story: { needs: ['an exchange id'], run: ([exchange = ''], options, terminal) => story(exchange, options, terminal) },
  reconcile: { needs: [], run: (_, options, terminal) => reconcile(options, terminal) },
}

export const command: Command = defineCommand({
  positionals: ['<verify|prove|export|diff|checkpoint|story|reconcile>', '[file|exchange]', '[file]'],
  about: `verify <file>: an export or a receipt (- is standard input) against the log's public key. Status 0: all is as it was
signed; 1: it is not, and the first bad entry is named; 2: it could not be read.

prove <exchange>: asks the ledger for the receipt of an exchange, verifies it, and prints its events. export: the log as text that
anybody can verify. diff <a> <b>: the first entry in which two exports differ. checkpoint: the ledger's signed head. story
<exchange>: what was asked in the course of what, with outcomes and times; told, not proven: prove each. reconcile: whether all that
was accepted was settled; status 1 if there are gaps.`,
  options: {
    key: {
      type: 'string',
      value: 'key|file',
      about: 'the log’s verifier key; default ledger/log-key.pub in the data directory',
    },
    witness: { type: 'string', multiple: true, value: 'key|file', about: 'a witness whose cosignature is asked for' },
    cosigned: { type: 'string', value: 'n', about: 'so many of these witnesses are enough; default all' },
    checkpoint: { type: 'string', value: 'file', about: 'verify: a checkpoint from elsewhere, to find a cut end' },
    predecessor: {
      type: 'string',
      value: 'file',
      about: 'verify: the last checkpoint of the log that this one succeeds, from elsewhere',
    },
    'predecessor-key': { type: 'string', value: 'key|file', about: 'verify: that log’s verifier key' },
    from: { type: 'string', value: 'n', about: 'export: first entry; default 0' },
    store: { type: 'string', value: 'file', about: 'export: of the ledger.sqlite of a ledger that does not run' },
    out: { type: 'string', value: 'file', about: 'export, prove: where to; default standard output, nowhere' },
    ledger: { type: 'string', value: 'url', about: 'default NDX_LEDGER_URL, else http://127.0.0.1:9470' },
  },
  examples: [
    ['audit export --out log.txt', 'the whole log, to keep or to hand over'],
    ['audit verify log.txt --key log-key.pub --witness witness-key.pub', 'offline, with public keys alone'],
    ['audit prove 0198c2f0-0000-7000-8000-000000000000', 'what is on record of one exchange'],
    ['audit story 0198c2f0-0000-7000-8000-000000000000', 'a birth, its personal number, its insurance card'],
    ['audit reconcile', 'accepted = settled?'],
  ],
  run: async ({ values, positionals: [name = '', ...words] }, terminal) => {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action === undefined) throw new UsageError(`audit takes ${Object.keys(actions).join(', ')}.`)
    if (words.length !== action.needs.length)
      throw new UsageError(
        `audit ${name} takes ${action.needs.length === 0 ? 'nothing more' : action.needs.join(' and ')}.`,
      )
    return action.run(words, { ...values, trust: () => trustOf(values, terminal) }, terminal)
  },
})
