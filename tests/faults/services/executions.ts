// The execution ledger: each call of a handler is one line, appended in one write before the handler begins, so that a killed
// process leaves whole lines and no execution without one. All adapters write to the same file.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AdapterTools, type CreateHandler, type Question } from '#services/adapter.ts'

export interface Execution {
  exchangeId: string
  service: string
  /** Of the request: whose question it was (`readTrace`). */
  traceparent: string
  /** The process. */
  pid: number
  /** Epoch ms, on the road's clock. */
  atMs: number
}

export const executionsFile = 'executions.jsonl'

export function noteExecution(tools: AdapterTools, service: string, { exchangeId, ticket }: Question): void {
  const { traceparent } = ticket
  const execution: Execution = { exchangeId, service, traceparent, pid: process.pid, atMs: tools.now() }
  appendFileSync(join(tools.dataDir, executionsFile), `${JSON.stringify(execution)}\n`)
}

/** The handler that comes with NDX, each call noted. */
export const noting =
  (service: string, createHandler: CreateHandler): CreateHandler =>
  tools => {
    const handler = createHandler(tools)
    return (request, question) => {
      noteExecution(tools, service, question)
      return handler(request, question)
    }
  }
