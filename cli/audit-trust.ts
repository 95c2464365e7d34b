// Whom an audit trusts, as the command line names it: verifier keys, written out or in files.
import { existsSync } from 'node:fs'
import {
  KeyError,
  keyTextOf,
  logKeyPath,
  parseVerifierKey,
  publicSuffix,
  type VerifierKey,
} from '#ledger/notes/keys.ts'
import { type Policy } from '#ledger/proof/policy.ts'
import { readFileWithin } from './bounded-reading.ts'
import { UsageError } from './command.ts'
import { configOf, shownPath } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

/** Of a key's file, with room for line ends. */
const keyBytesMax = 4_096

interface KeyOptions {
  readonly key?: string
  readonly witness?: string[]
  readonly cosigned?: string
}

export interface AuditOptions extends KeyOptions {
  readonly checkpoint?: string
  readonly predecessor?: string
  readonly 'predecessor-key'?: string
  readonly from?: string
  readonly store?: string
  readonly out?: string
  readonly ledger?: string
  /** Throws UsageError. */
  trust(): Policy
}

/** Throws UsageError. */
export function trustOf({ key, witness = [], cosigned }: KeyOptions, terminal: Terminal): Policy {
  const logKey = readKey('--key', key ?? defaultKeyPath(terminal), 'log')
  const witnessKeys = witness.map(text => readKey('--witness', text, 'witness'))
  const witnessesMin = cosigned === undefined ? witnessKeys.length : Number(cosigned)
  if (cosigned !== undefined && !(/^[1-9]\d?$/.test(cosigned) && witnessesMin <= witnessKeys.length))
    throw new UsageError('--cosigned is a number from 1 to that of the witnesses named.')
  return { logKey, witnessKeys, witnessesMin }
}

function defaultKeyPath(terminal: Terminal): string {
  const path = `${logKeyPath(configOf(terminal).dataDir)}${publicSuffix}`
  if (existsSync(path)) return path
  throw new UsageError(`there is no ${shownPath(path)}; name the log’s verifier key, or its file, with --key.`)
}

/** A file's name, or a key itself, which has two plus signs. */
export function readKey(option: string, text: string, type: VerifierKey['type']): VerifierKey {
  const key = readText(option, text, type)
  if (key.type !== type) throw new UsageError(`${option} takes the key of a ${type}; this is the key of a ${key.type}.`)
  return key
}

function readText(option: string, text: string, type: VerifierKey['type']): VerifierKey {
  try {
    return parseVerifierKey(existsSync(text) ? keyTextOf(readFileWithin(text, keyBytesMax).toString('utf8')) : text)
  } catch (error) {
    if (error instanceof KeyError)
      throw new UsageError(`${option} names neither a ${type}’s verifier key nor a file of one.`)
    throw new UsageError(`${option}: ${(error as Error).message}`)
  }
}
