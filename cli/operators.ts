// Operators' keys (Ed25519): `<dataDir>/operators/<name>.key` is the operator's own, `<name>.pub` is what the others check with. In
// this installation they lie in one folder so that it can be tried; in earnest each `.key` is where only its owner reads it.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DeadLetter, type ReplayStep } from '#bus/dead-letter.ts'
import { readFileWithin } from './bounded-reading.ts'
import { CommandError, UsageError } from './command.ts'

const keyBytesMax = 16 * 1024
const nameForm = /^[a-z][a-z0-9-]{0,39}$/

/** Checks steps against the public keys that are known here. */
export type IsSigned = (step: ReplayStep, letter: DeadLetter) => boolean

export function checkOperatorName(name: string): string {
  if (!nameForm.test(name)) throw new UsageError('an operator’s name has letters a to z, digits and -, 40 at most.')
  return name
}

/** Makes a key pair; never over one that is there. */
export function makeOperator(dataDir: string, name: string): void {
  const folder = join(dataDir, 'operators')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (existsSync(keyFile(dataDir, name)) || existsSync(join(folder, `${name}.pub`)))
    throw new CommandError(`there is an operator ${name} already.\nTake another name; keys are never overwritten.`)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  writeFileSync(keyFile(dataDir, name), privateKey.export({ format: 'pem', type: 'pkcs8' }), {
    mode: 0o600,
    flag: 'wx',
  })
  writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }), { flag: 'wx' })
}

/** Throws CommandError for a file that holds no key. */
function readKey(file: string, read: (pem: Buffer) => KeyObject): KeyObject {
  try {
    return read(readFileWithin(file, keyBytesMax))
  } catch (cause) {
    if (cause instanceof CommandError || (cause as Error & { syscall?: string }).syscall !== undefined) throw cause
    throw new CommandError(`${file} holds no key of an operator; restore it, or take it away.`, { cause })
  }
}

/** The operator's private key. */
export function readOperatorKey(dataDir: string, name: string): KeyObject {
  const file = keyFile(dataDir, name)
  if (!existsSync(file))
    throw new CommandError(
      `there is no operator ${name}: ${file} is missing.\n\`npx ndx dead-letters operator ${name}\` makes the keys.`,
    )
  return readKey(file, createPrivateKey)
}

export function readOperators(dataDir: string): IsSigned {
  const folder = join(dataDir, 'operators')
  const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.pub')) : []
  const keys = new Map(files.map(name => [name.slice(0, -'.pub'.length), readKey(join(folder, name), createPublicKey)]))
  return (step, letter) => {
    const key = keys.get(step.operator)
    return key !== undefined && verify(null, signedText(step, letter), key, Buffer.from(step.signature, 'base64url'))
  }
}

export const signStep = (step: Omit<ReplayStep, 'signature'>, letter: DeadLetter, key: KeyObject): ReplayStep => ({
  ...step,
  signature: sign(null, signedText(step, letter), key).toString('base64url'),
})

/** All that is agreed to: this letter's record, of this exchange, by this operator, after that proposal. */
function signedText(
  { step, letterId, operator, approves, signedMs }: Omit<ReplayStep, 'signature'>,
  { exchangeId, topic, partition, offset }: DeadLetter,
): Buffer {
  const after = approves === undefined ? null : [approves.operator, approves.signature]
  const parts = [step, letterId, exchangeId ?? null, topic, partition, offset, operator, signedMs, after]
  return Buffer.from(`ndx replay of a dead letter\n${JSON.stringify(parts)}\n`)
}

const keyFile = (dataDir: string, name: string): string => join(dataDir, 'operators', `${name}.key`)
