// What the steps of the tour are given, and what each hands back: a few lines of story, and claims that must be so.
import { type Registry } from '#contracts/registry.ts'
import { type Policy } from '#ledger/proof/policy.ts'
import { type Person } from '#nation/person.ts'
import { type Config } from '#runtime/config.ts'
import { type Answer } from './simulated-client.ts'

export interface Tour {
  readonly url: string
  readonly ledgerUrl: string
  readonly config: Config
  readonly registry: Registry
  /** Somebody this tour has not asked about. */
  nextPerson(): Person
  ask(client: string, service: string, envelope: object, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** GET of a path at the gateway. */
  read(client: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** The log's public key: `--key`, else that of the ledger in the data directory; undefined: there is none. */
  trust(): (Policy & { from?: '--key' }) | undefined
}

export interface Claim {
  claim: string
  isSo: boolean
}

export interface Told {
  story: string[]
  checks: Claim[]
  /** Something could not be seen from here; the story says what. */
  isPartial?: boolean
}

export interface Step {
  title: string
  run(tour: Tour): Promise<Told>
}

export const verification = 'population/identity-verification'
export const enrolment = 'social-insurance-enrolment'
