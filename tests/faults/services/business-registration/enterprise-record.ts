// The handler that comes with NDX, each call noted in the execution ledger.
import { createHandler as create } from '#services/business-registration/enterprise-record.ts'
import { noting } from '../executions.ts'

export const createHandler = noting('business-registration/enterprise-record', create)
