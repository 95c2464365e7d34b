// The subcommands by name, in the order of the help. Each is loaded when it is called: `ndx token` need not load an exchange.
import { type Command } from './command.ts'

export interface CommandEntry {
  summary: string
  load(): Promise<{ command: Command }>
}

export const commands: Readonly<Record<string, CommandEntry>> = Object.freeze({
  start: { summary: 'run the whole exchange in this process, without servers', load: () => import('./start.ts') },
  demo: { summary: 'a guided tour of a running exchange that checks itself', load: () => import('./demo.ts') },
  simulate: { summary: 'the connected bodies at work for a day, reconciled', load: () => import('./simulate.ts') },
  ask: { summary: 'ask a service as a client, and show the answer', load: () => import('./ask.ts') },
  token: { summary: 'print an access token of a client', load: () => import('./token.ts') },
  clients: { summary: 'list who may ask, and what', load: () => import('./clients.ts') },
  services: { summary: 'list what can be asked; with an id, its contract', load: () => import('./services.ts') },
  person: { summary: 'print a person of the synthetic nation', load: () => import('./person.ts') },
  enterprise: { summary: 'print an enterprise of the synthetic nation', load: () => import('./enterprise.ts') },
  watch: { summary: 'follow the audit log as a table', load: () => import('./watch.ts') },
  audit: { summary: 'verify, prove and export what the ledger recorded', load: () => import('./audit.ts') },
  ledger: { summary: 'back a ledger up; begin a successor log after a loss', load: () => import('./ledger.ts') },
  counters: { summary: 'how many exchanges a day ended how', load: () => import('./counters.ts') },
  secrets: { summary: 'make the secrets that are missing', load: () => import('./secrets.ts') },
  introduce: { summary: 'make a ledger and a witness known to each other', load: () => import('./introduce.ts') },
  'dead-letters': { summary: 'what adapters gave up on; replay one', load: () => import('./dead-letters.ts') },
  adapter: { summary: 'write a new adapter; check any adapter', load: () => import('./adapter.ts') },
  topics: { summary: 'create or check the Kafka topics', load: () => import('./topics.ts') },
})
