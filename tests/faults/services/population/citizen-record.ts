// The handler that comes with NDX, each call noted in the execution ledger.
import { createHandler as create } from '#services/population/citizen-record.ts'
import { noting } from '../executions.ts'

export const createHandler = noting('population/citizen-record', create)
