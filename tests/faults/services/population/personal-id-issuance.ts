// The handler that comes with NDX, each call noted in the execution ledger.
import { createHandler as create } from '#services/population/personal-id-issuance.ts'
import { noting } from '../executions.ts'

export const createHandler = noting('population/personal-id-issuance', create)
