// What the steps of the tour say of an answer, and what they claim of it.
import { type Person } from '#nation/person.ts'
import { type Claim } from './demo-tour.ts'
import { type Answer, memberOf } from './simulated-client.ts'

const lookEveryMs = 50

export const identityOf = ({ personalId, fullName, dateOfBirth }: Person) => ({ personalId, fullName, dateOfBirth })
export const replyOf = ({ body }: Answer): unknown => memberOf(body, 'reply')
export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
export const isReply = (answer: Answer, matched: boolean): boolean => isSame(replyOf(answer), { matched })
export const exchangeIdOf = ({ headers }: Answer): string => headers.get('exchange-id') ?? '-'
export const timingOf = (answer: Answer): string =>
  `in ${answer.tookMs.toFixed(0)} ms, as exchange ${exchangeIdOf(answer)}`

export const statusIs = ({ status }: Answer, expected: number): Claim => ({
  claim: status === expected ? `status ${status}` : `status ${expected} (it is ${status})`,
  isSo: status === expected,
})

export const codeIs = ({ body }: Answer, expected: string): Claim => {
  const code = String(memberOf(body, 'code'))
  return { claim: code === expected ? `code ${code}` : `code ${expected} (it is ${code})`, isSo: code === expected }
}

/** A refusal that can be acted on. */
export const explains = ({ body }: Answer): Claim[] =>
  (['detail', 'agreement', 'legalBasis', 'remedy'] as const).map(name => ({
    claim: `it names its ${name === 'legalBasis' ? 'legal basis' : name}`,
    isSo: memberOf(body, name) !== undefined,
  }))

export function storyOfProblem({ status, body }: Answer): string[] {
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

/** What `look` finds, looked for again and again; undefined: not within so long. */
export async function lookFor<T>(look: () => Promise<T | undefined>, withinMs: number): Promise<T | undefined> {
  const giveUpMs = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined || performance.now() > giveUpMs) return found
    await new Promise(resolve => setTimeout(resolve, lookEveryMs))
  }
}
