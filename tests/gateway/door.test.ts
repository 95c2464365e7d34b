// The door: a question that is too much is answered there and goes no further; all else does.
import { type RequestListener } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDoor } from '#gateway/door.ts'
import { exchangeIdForm } from '#tests/refusals/expect-problem.ts'

const question = '/v1/services/population/identity-verification'
const state = { isNow: false, isStopping: false, shed: 0, passed: 0 }
let server: ReturnType<typeof createDoor>
let url: string

beforeEach(async () => {
  Object.assign(state, { isNow: true, isStopping: false, shed: 0, passed: 0 })
  const handler: RequestListener = (_, response) => {
    state.passed++
    response.end('passed')
  }
  const overload = {
    get isNow() {
      return state.isNow
    },
    shed: () => {
      state.shed++
      return 2
    },
    close: () => {},
  }
  server = createDoor(handler, { overload, isStopping: () => state.isStopping })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const ask = (path: string, method = 'POST'): Promise<Response> => fetch(`${url}${path}`, { method })

test('sheds a question, each with an id of its own and nothing behind the door', async () => {
  const answers = [await ask(question), await ask(question)]
  const ids = answers.map(({ headers }) => headers.get('exchange-id') ?? '')
  for (const [i, answer] of answers.entries()) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    expect(ids[i]).toMatch(exchangeIdForm)
    expect(await answer.json()).toMatchObject({ code: 'NDX_GATEWAY_OVERLOADED', exchangeId: ids[i] })
  }
  expect(ids[0]).not.toBe(ids[1])
  expect(state).toMatchObject({ shed: 2, passed: 0 })
})

test.each([
  ['a question when there is room', question, 'POST', { isNow: false }],
  ['a question when the gateway stops, which has an answer of its own', question, 'POST', { isStopping: true }],
  ['a look at a contract', question, 'GET', {}],
  ['a request for a token', '/oauth/token', 'POST', {}],
  ['health', '/health/live', 'GET', {}],
])('lets %s pass', async (_, path, method, change) => {
  Object.assign(state, change)
  expect(await (await ask(path, method)).text()).toBe('passed')
  expect(state).toMatchObject({ shed: 0, passed: 1 })
})
