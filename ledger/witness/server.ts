// A witness as a process's part: its key, its state, its logs' keys and its listener. Whoever runs one should not be who runs the
// ledger. Under its data directory: `witness-key` (made at first start; `witness-key.pub` is given to verifiers), `logs/*.pub`
// (verifier keys of the logs it witnesses, looked at on every submission) and `state/`.
import { isUtf8 } from 'node:buffer'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeNoteKey, readNoteKey, readVerifierKeys, type SignerKey, type VerifierKey } from '#ledger/notes/keys.ts'
import { foreignHostStatus, foreignHostText, isInnerHost } from '#runtime/inner-host.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { submissionBytesMax } from './submission.ts'
import { addCheckpoint, type WitnessAnswer, type WitnessParts } from './witness.ts'
import { openWitnessState } from './witness-state.ts'
import { headPath } from './witnessed-head.ts'

export interface WitnessOptions {
  dataDir: string
  /** Name of the key, when it has to be made. */
  name: string
  host: string
  /** 0: any free one. */
  port: number
  log: Log
  /** Names under which it may be asked (runtime/inner-host.ts); addresses and localhost always. */
  innerHosts?: readonly string[]
  /** Epoch ms; default the system's. */
  now?: () => number
}

export interface RunningWitness {
  /** `http://host:port`; submissions go to `/add-checkpoint` under it, `/checkpoint?origin=` shows the last one cosigned. */
  url: string
  key: VerifierKey
  stop(): Promise<void>
}

interface Answer {
  status: number
  type: string
  body: string
}

const plain = 'text/plain; charset=utf-8'
const connectionsMax = 256

/** Throws when another witness holds the folder, or what is in it is not as it was left. */
export async function startWitness({
  dataDir,
  name,
  host,
  port,
  log,
  innerHosts = [],
  now = Date.now,
}: WitnessOptions): Promise<RunningWitness> {
  const key = openKey(join(dataDir, 'witness-key'), name)
  const state = openWitnessState(join(dataDir, 'state'), key.verifier)
  try {
    const logKeys = watchLogKeys(join(dataDir, 'logs'), log)
    const server = createWitnessServer(
      { key, state, logKeys, nowS: () => Math.floor(now() / 1000) },
      { log, innerHosts },
    )
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
    const url = `http://${host}:${(server.address() as AddressInfo).port}`
    log.info({ event: 'witness', url, name: key.verifier.name, logs: logKeys().map(({ name: origin }) => origin) })
    return {
      url,
      key: key.verifier,
      stop: async () => {
        await closeServer(server)
        state.close()
      },
    }
  } catch (error) {
    state.close()
    throw error
  }
}

const openKey = (path: string, name: string): SignerKey =>
  existsSync(path) ? makeNoteKey(path, readNoteKey(path).verifier.name, 'witness') : makeNoteKey(path, name, 'witness')

/** Read anew each time, so that a log is added or its key changed without a restart. A file that is wrong later changes nothing. */
function watchLogKeys(folder: string, log: Log): () => readonly VerifierKey[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let keys = readVerifierKeys(folder)
  return () => {
    try {
      keys = readVerifierKeys(folder)
    } catch (error) {
      log.error({ event: 'witness-logs', error: describeError(error) }, 'keys of logs cannot be read; those known stay')
    }
    return keys
  }
}

function createWitnessServer(
  parts: WitnessParts,
  { log, innerHosts }: { log: Log; innerHosts: readonly string[] },
): Server {
  const server = createServer(async (request, response) => {
    const { status, type, body } = isInnerHost(request.headers.host, innerHosts)
      ? await answer(request, parts, log)
      : { status: foreignHostStatus, type: plain, body: `${foreignHostText}\n` }
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
  })
  server.maxConnections = connectionsMax
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  return server
}

/** Never rejects. */
async function answer(request: IncomingMessage, parts: WitnessParts, log: Log): Promise<Answer> {
  const [path, query] = (request.url ?? '/').split('?', 2)
  if (path === '/health/live' && request.method === 'GET') return { status: 200, type: plain, body: 'live\n' }
  if (path === headPath && request.method === 'GET')
    return showCheckpoint(new URLSearchParams(query).get('origin') ?? '', parts)
  if (path !== '/add-checkpoint')
    return { status: 404, type: plain, body: 'only /add-checkpoint and /checkpoint are here\n' }
  if (request.method !== 'POST') return { status: 405, type: plain, body: 'POST only\n' }
  try {
    const body = await readBody(request)
    if (body === undefined) return { status: 400, type: plain, body: 'the body is too long, not UTF-8, or not whole\n' }
    const decided = addCheckpoint(body, parts)
    tell(decided, log)
    return decided
  } catch (error) {
    log.error({ event: 'witness-failed', error: describeError(error) }, 'no cosignature: the checkpoint was not stored')
    return { status: 500, type: plain, body: 'not stored, so not cosigned\n' }
  }
}

/** What was cosigned last, for whoever wants proof of it, the log first of all. */
function showCheckpoint(origin: string, { state }: WitnessParts): Answer {
  const note = state.last(origin)?.note
  return note === undefined
    ? { status: 404, type: plain, body: 'no checkpoint of that origin was cosigned here\n' }
    : { status: 200, type: plain, body: note }
}

function tell({ status, origin, size, body, evidence }: WitnessAnswer, log: Log): void {
  const facts = { event: 'submission', status, origin, size }
  if (status === 422) log.error({ ...facts, evidence }, 'a log signed what does not continue what it signed before')
  else if (status === 200 || status === 409) log.debug(facts)
  else log.warn({ ...facts, why: body.trim() })
}

/**
 * `undefined` when it is too long, no text, or did not come whole. What is over the limit is read and dropped, so that the answer
 * arrives.
 */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > 16 * submissionBytesMax) request.destroy()
      if (bytes <= submissionBytesMax) chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  const body = Buffer.concat(chunks)
  return bytes <= submissionBytesMax && isUtf8(body) ? body.toString('utf8') : undefined
}

function closeServer(server: Server): Promise<void> {
  server.closeIdleConnections()
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  setTimeout(() => server.closeAllConnections(), 2_000).unref()
  return closed
}
