// The step of the tour that looks for the line an exchange left in the audit log.
import { open } from 'node:fs/promises'
import { exchangeIdOf, identityOf, lookFor } from './demo-claims.ts'
import { enrolment, type Told, type Tour, verification } from './demo-tour.ts'
import { logFileOf, shownPath } from './surroundings.ts'

const logWaitMs = 2000
const logTailBytes = 256 * 1024

export async function findAuditLine({ ask, nextPerson, config }: Tour): Promise<Told> {
  const person = nextPerson()
  const answer = await ask('social-insurance', verification, { purpose: enrolment, request: identityOf(person) })
  const exchangeId = exchangeIdOf(answer)
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
  const isWanted = (line: string): boolean => line.includes(`"exchangeId":"${exchangeId}"`)
  if ((await readTail(path)) === undefined) return undefined
  return lookFor(async () => (await readTail(path))?.split('\n').find(isWanted), logWaitMs)
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
