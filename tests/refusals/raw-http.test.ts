// What no HTTP library sends: malformed and ambiguous requests over a bare socket. Each is answered with a 4xx and a closed
// connection, or closed unanswered; never with a 5xx, never not at all, and the gateway goes on as before.
import { connect } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { goodEnvelope } from '#tests/asker.ts'
import { until, within } from '#tests/bus/until.ts'
import { expectRawProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const world = await startWorld({ silent: ['business-registration'] })
afterAll(() => world.stop())
const { hostname, port } = new URL(world.url)
const host = `Host: ${hostname}:${port}`
const token = await world.token()
const body = JSON.stringify(goodEnvelope)
const bytes = Buffer.byteLength(body)
const post = `POST /v1/services/population/identity-verification HTTP/1.1\r\n${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`

/** Everything the gateway says until it closes the connection; we never close it. */
function exchangeBytes(sent: string | Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }, () => socket.write(sent))
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => {})
  const end = (): void => {
    socket.destroy()
    resolve(Buffer.concat(chunks).toString())
  }
  socket.on('end', end).on('close', end)
  return within(30_000, 'the gateway closes the connection', promise)
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

const problemOf = (text: string): unknown => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
describe('malformed requests', () => {
  test.each([
    [
      'both Content-Length and Transfer-Encoding',
      `${post}Content-Length: ${bytes}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two different Content-Lengths', `${post}Content-Length: ${bytes}\r\nContent-Length: 0\r\n\r\n${body}`],
    ['a negative Content-Length', `${post}Content-Length: -1\r\n\r\n`],
    ['a Content-Length with a plus', `${post}Content-Length: +5\r\n\r\nhello`],
    ['an unknown Transfer-Encoding', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a broken chunk size', `${post}Transfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n0\r\n\r\n`],
    [
      'a chunk with an overlong extension',
      `${post}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
    ],
    ['a space before the colon', `GET /v1/services HTTP/1.1\r\nHost : x\r\n\r\n`],
    ['a folded header', `GET /v1/services HTTP/1.1\r\n${host}\r\nX-A: b\r\n c\r\n\r\n`],
    ['a bare CR in a header', `GET /v1/services HTTP/1.1\r\n${host}\r\nX-A: b\rX-C: d\r\n\r\n`],
    ['a NUL in a header', `GET /v1/services HTTP/1.1\r\n${host}\r\nX-A: b\0c\r\n\r\n`],
    ['a NUL in the path', `GET /v1/\0services HTTP/1.1\r\n${host}\r\n\r\n`],
    ['a space in the path', `GET /v1/ services HTTP/1.1\r\n${host}\r\n\r\n`],
    ['no Host', 'GET /v1/services HTTP/1.1\r\n\r\n'],
    ['an unknown method', `FETCH /v1/services HTTP/1.1\r\n${host}\r\n\r\n`],
    ['a method in small letters', `get /v1/services HTTP/1.1\r\n${host}\r\n\r\n`],
    ['another protocol', `GET /v1/services HTP/1.1\r\n${host}\r\n\r\n`],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03])],
    ['a version from the future', `GET /v1/services HTTP/9.9\r\n${host}\r\n\r\n`],
    ['random bytes', Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 73 + 129) % 256))],
  ])('%s is refused and the connection closed', async (_, sent) => {
    const text = await exchangeBytes(sent)
    const statuses = statusesOf(text)
    expect(statuses).toEqual([400])
    if (text.includes('problem+json'))
      expect(problemOf(text)).toMatchObject({ code: 'NDX_HTTP_MALFORMED', status: 400 })
  })

  test('a request that the parser gives up on gets a whole problem', async () => {
    const text = await exchangeBytes(`GET /v1/services HTTP/1.1\r\nHost : x\r\n\r\n`)
    expectRawProblem(problemOf(text), 'NDX_HTTP_MALFORMED')
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/)
    expect(text).toContain('connection: close')
  })

  test('header fields past 16 KiB are refused with 431', async () => {
    const text = await exchangeBytes(`GET /v1/services HTTP/1.1\r\n${host}\r\nX-A: ${'a'.repeat(16_384)}\r\n\r\n`)
    expectRawProblem(problemOf(text), 'NDX_HEADERS_TOO_LARGE')
    expect(statusesOf(text)).toEqual([431])
  })

  test('a URL past the limit is refused with 431', async () => {
    const text = await exchangeBytes(`GET /${'a'.repeat(17_000)} HTTP/1.1\r\n${host}\r\n\r\n`)
    expect(statusesOf(text)).toEqual([431])
  })
})

test('a client that is refused and does not close is cut off', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }, () =>
    socket.write('nonsense\r\n\r\n'),
  )
  let isRefused = false
  socket
    .on('data', () => {})
    .on('error', () => {})
    .on('close', () => resolve())
  socket.on('end', () => {
    isRefused = true
  })
  await until('it is refused', () => isRefused)
  await until('its next bytes find nobody', () => {
    if (!socket.destroyed) socket.write('x')
    return socket.destroyed
  })
  await within(30_000, 'the connection is gone', promise)
})

describe('ambiguous requests', () => {
  const closing = 'Connection: close\r\n'

  test.each([
    [
      'two Hosts',
      `GET /v1/services HTTP/1.1\r\n${host}\r\nHost: elsewhere\r\n${closing}\r\n`,
      'The Host field stands twice.',
    ],
    [
      'one Host twice',
      `GET /health/live HTTP/1.1\r\n${host}\r\n${host}\r\n${closing}\r\n`,
      'The Host field stands twice.',
    ],
  ])('%s is refused', async (_, sent, detail) => {
    const text = await exchangeBytes(sent)
    expect(statusesOf(text)).toEqual([400])
    expect(problemOf(text)).toMatchObject({ code: 'NDX_HTTP_MALFORMED', detail })
  })

  test.each(['/%', '/%zz', '/%E0%A4%A', '/v1/services/%ff/%fe', '/problems/%C0%AF'])(
    'the path %s is refused',
    async path => {
      const text = await exchangeBytes(
        `GET ${path} HTTP/1.1\r\n${host}\r\nAuthorization: Bearer ${token}\r\n${closing}\r\n`,
      )
      expect(statusesOf(text)).toEqual([400])
      expect(problemOf(text)).toEqual(expect.objectContaining({ code: 'NDX_HTTP_MALFORMED', status: 400 }))
    },
  )

  test.each([
    ['an absolute address', `GET http://elsewhere/health/live HTTP/1.1\r\n${host}\r\n${closing}\r\n`, [200, 404]],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n${closing}\r\n`, [404]],
    ['CONNECT', `CONNECT elsewhere:443 HTTP/1.1\r\n${host}\r\n\r\n`, []],
    ['an upgrade', `GET /health/live HTTP/1.1\r\n${host}\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`, [200]],
    ['an unmet expectation', `${post}Expect: 200-maybe\r\nContent-Length: 0\r\n${closing}\r\n`, [417]],
    ['HTTP/1.0', `GET /health/live HTTP/1.0\r\n\r\n`, [200]],
    ['a body on GET', `GET /health/live HTTP/1.1\r\n${host}\r\nContent-Length: 4\r\n${closing}\r\nabcd`, [200]],
  ])('%s is never a 5xx', async (_, sent, statuses) => {
    const found = statusesOf(await exchangeBytes(sent))
    if (statuses.length === 0) expect(found).toEqual([])
    else expect(statuses).toContain(found[0])
  })

  test('a second request hidden behind a body is a request of its own', async () => {
    const hidden = `GET /health/live HTTP/1.1\r\n${host}\r\n${closing}\r\n`
    expect(statusesOf(await exchangeBytes(`${post}Content-Length: ${bytes}\r\n\r\n${body}${hidden}`))).toEqual([
      200, 200,
    ])
  })
})

describe('clients that go away', () => {
  test('a body cut in the middle is the client’s doing, not a failure of ours', async () => {
    const before = world.lines().length
    const socket = connect(Number(port), hostname)
    socket.write(`${post}Content-Length: ${bytes}\r\n\r\n${body.slice(0, 10)}`)
    await until('the request has begun', async () => (await world.operations('/health/live')).status === 200)
    socket.destroy()
    await until('the refusal is logged', () =>
      world
        .lines()
        .slice(before)
        .some(line => line['code'] !== undefined),
    )
    const lines = world.lines().slice(before)
    expect(lines.map(({ event, level, code }) => [event, level, code])).toEqual([
      ['exchange', 'info', 'NDX_HTTP_MALFORMED'],
    ])
  })
})

test('the gateway answers as before, and logged no failure', async () => {
  expect((await world.ask('population/identity-verification')).status).toBe(200)
  expect(world.lines().filter(({ event, level }) => event === 'failure' || level === 'fatal')).toEqual([])
})

test('the operations listener refuses what is no path, and lives', async () => {
  const operations = new URL(world.gateway.operationsUrl)
  const ask = (line: string): Promise<number[]> => {
    const { promise, resolve } = Promise.withResolvers<number[]>()
    const socket = connect(Number(operations.port), operations.hostname, () =>
      socket.write(`${line} HTTP/1.1\r\nHost: ${operations.host}\r\nConnection: close\r\n\r\n`),
    )
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('error', () => {}).on('close', () => resolve(statusesOf(text)))
    return within(30_000, 'the operations listener answers', promise)
  }
  expect(await ask('GET //')).toEqual([404])
  expect(await ask('GET http://[')).toEqual([404])
  expect(await ask('GET /__proto__')).toEqual([404])
  expect(await ask('GET /counters?day=1')).toEqual([400])
  expect(await ask('POST /metrics')).toEqual([405])
  expect(await ask('GET /health/live')).toEqual([200])
})
