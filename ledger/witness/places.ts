// Where ledger and witness keep keys under their data directories. Private keys are for the owner alone, `.pub` ones for all.
import { join } from 'node:path'

/** The log's key; the public one is beside it. */
export { logKeyPath } from '#ledger/notes/keys.ts'
/** Public keys of the witnesses whose cosignatures the ledger takes, `*.pub`. */
export const witnessKeysDir = (ledgerDir: string): string => join(ledgerDir, 'ledger', 'witnesses')
export const witnessKeyPath = (witnessDir: string): string => join(witnessDir, 'witness-key')
/** Public keys of the logs that a witness takes checkpoints of, `*.pub`. */
export const witnessLogsDir = (witnessDir: string): string => join(witnessDir, 'logs')
