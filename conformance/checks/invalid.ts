// Requests that break their contract, name another text of it, or another service: each fails with a code, and the adapter lives.
// A gateway would not let them through; a register does not depend on that.
import { type Service } from '#contracts/contract.ts'
import { type Asking, breakRequest } from '../questions.ts'
import { fault, ok, type Verdict } from '../report.ts'
import { count, describeEnding, type Trial } from '../trial.ts'

/** The adapter's own, in capitals; a contract's are listed there. */
const codeForm = /^[A-Z][A-Z0-9_]{2,59}$/

export async function checkInvalid({ client, marks }: Trial, service: Service): Promise<Verdict> {
  const mark = marks.make('text of an invalid request')
  const invalid: { what: string; asking: Asking }[] = [
    ...breakRequest(service, mark).map(({ what, request }) => ({ what, asking: { service, request } })),
    { what: 'one made to another text of the contract', asking: { service, contractHash: 'AAAAAAAAAAAAAAAAAAAAAA' } },
    {
      what: 'one to a service that nobody has',
      asking: { service, type: service.requestType.replace(/\.v\d+$/, '.v999') },
    },
  ]
  for (const { what, asking } of invalid) {
    const ending = await client.ending(await client.ask(asking))
    const { outcome, code } = ending.reply ?? {}
    const isCoded =
      code !== undefined && (codeForm.test(code) || service.contract.errors.some(one => one.code === code))
    if (outcome === 'failed' && isCoded) continue
    return fault(
      `${what} ended ${describeEnding(ending)}`,
      'Hold each request to type, contract hash and schema before you execute it; fail with REQUEST_INVALID or CONTRACT_UNKNOWN.',
    )
  }
  const after = await client.ending(await client.ask({ service }))
  if (after.reply !== undefined || after.isDeferred) return ok(`${count(invalid.length, 'request')} failed with a code`)
  return fault(
    `after ${count(invalid.length, 'invalid request')} it answers no more`,
    'A request that breaks its contract is a failure to reply with, not an end of the process.',
  )
}
