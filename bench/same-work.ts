// A target that refuses less than the others would be measured at less work: each must refuse the same bad requests first.
import { exampleEnvelope, path } from './questions.ts'
import { type Target } from './target.ts'

/** @throws Error that names what the target took */
export async function assertSameWork({ name, url }: Target, token: string): Promise<void> {
  const good = exampleEnvelope()
  const post = async (authorization: string | undefined, body: unknown): Promise<number> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify(body),
    })
    await response.arrayBuffer()
    return response.status
  }
  const bearer = `Bearer ${token}`
  const tries: [string, number, readonly number[]][] = [
    ['a good request', await post(bearer, good), [200]],
    ['no token', await post(undefined, good), [401]],
    ['a forged token', await post(`Bearer ${forge(token)}`, good), [401]],
    ['a field too many', await post(bearer, { ...good, more: 1 }), [400, 422]],
    ['no request', await post(bearer, { purpose: good.purpose }), [400, 422]],
    ['a number for a name', await post(bearer, { ...good, request: { ...good.request, fullName: 5 } }), [400, 422]],
    ['a short number', await post(bearer, { ...good, request: { ...good.request, personalId: '12' } }), [400, 422]],
  ]
  const wrong = tries.filter(([, status, wanted]) => !wanted.includes(status))
  if (wrong.length > 0)
    throw new Error(`${name} does other work: ${wrong.map(([what, status]) => `${what}: ${status}`).join(', ')}`)
}

/** The same claims under another signature. */
function forge(token: string): string {
  const [head, claims, signature = ''] = token.split('.')
  return [head, claims, signature.split('').reverse().join('')].join('.')
}
