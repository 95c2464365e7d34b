// One HTTP request to a witness: within a time, not redirected, and no more of the answer than a witness has to say.

export interface WitnessResponse {
  status: number
  body: string
}

/** A head with thirty cosignatures has 4 KiB. */
const answerBytesMax = 16 * 1024

/** Throws an Error when nothing came in time, or too much. */
export async function requestWitness(url: string, init: RequestInit, timeoutMs: number): Promise<WitnessResponse> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    return { status: response.status, body: await readText(response) }
  } catch (cause) {
    throw new Error(`${url} did not answer`, { cause })
  }
}

/** `path` under a witness's address, which may end in a slash. */
export const underWitness = (witnessUrl: string, path: string): string => `${witnessUrl.replace(/\/+$/, '')}${path}`

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new RangeError(`an answer longer than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
