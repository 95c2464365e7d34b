// What a conformance run found: one finding a check and a service, in the order in which they were made. Nothing here is a value
// of a field: what was seen is told by names, codes and counts.
import { type ProviderId } from '#contracts/contract.ts'

/** What is checked, in this order; README says what each is about. */
export const checkNames = [
  'reachable',
  'examples',
  'envelope',
  'fields',
  'deadline',
  'redelivery',
  'slow',
  'crash',
  'invalid',
  'poison',
  'personal-data',
] as const
export type CheckName = (typeof checkNames)[number]

/** What a check came to. `advice`: what to do about it. */
export interface Verdict {
  result: 'ok' | 'fault' | 'skipped'
  seen: string
  advice?: string
}

export interface Finding extends Verdict {
  check: CheckName
  /** A service, or the provider where a check is about all of them. */
  about: string
}

export interface Report {
  provider: ProviderId
  /** No fault was found. What was skipped is not known. */
  isConformant: boolean
  findings: readonly Finding[]
}

export const ok = (seen: string): Verdict => ({ result: 'ok', seen })
export const fault = (seen: string, advice: string): Verdict => ({ result: 'fault', seen, advice })
export const skipped = (seen: string, advice?: string): Verdict => ({
  result: 'skipped',
  seen,
  ...(advice === undefined ? {} : { advice }),
})
