// Access tokens for many clients, from the platform's own token endpoint, some at a time.
import { getToken } from '#tests/client.ts'
import { type World } from './world.ts'

const tokensAtOnce = 8

/** By client. */
export async function getTokens(
  { url }: { url: string },
  { dataDir }: Pick<World, 'dataDir'>,
  clients: readonly string[],
): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {}
  for (let i = 0; i < clients.length; i += tokensAtOnce) {
    const some = clients.slice(i, i + tokensAtOnce)
    const got = await Promise.all(some.map(client => getToken({ url, dataDir, client })))
    for (const [j, client] of some.entries()) tokens[client] = got[j] as string
  }
  return tokens
}
