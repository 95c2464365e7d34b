// The handler that comes with NDX, each call noted in the execution ledger.
import { createHandler as create } from '#services/population/residence-confirmation.ts'
import { noting } from '../executions.ts'

export const createHandler = noting('population/residence-confirmation', create)
