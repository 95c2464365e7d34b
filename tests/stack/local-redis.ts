// A redis-server of this machine as a child process: append-only file, no eviction, a password, as in deployment.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalProcess } from './local-process.ts'
import { findFreePort } from './ports.ts'
import { ensurePresent, redisServer } from './prerequisites.ts'
import { isRedisAnswering, redisDeadlineMs } from './probes.ts'
import { type RedisServer } from './server.ts'

/** @param parent where its folder is made */
export async function startLocalRedis(parent: string = tmpdir()): Promise<RedisServer> {
  await ensurePresent([redisServer])
  const port = await findFreePort()
  const password = randomBytes(16).toString('hex')
  const url = `redis://:${password}@127.0.0.1:${port}`
  const dir = await makeFolder(parent)
  const file = join(dir, 'redis.conf')
  await writeFile(file, configure(port, password), { mode: 0o600 })
  const server = new LocalProcess({
    name: 'redis',
    command: 'redis-server',
    args: [file],
    dir,
    answerMs: redisDeadlineMs,
    isAnswering: () => isRedisAnswering(url),
  })
  await server.start().catch(async error => {
    await server.stop()
    throw error
  })
  return Object.assign(server, { kind: 'local' as const, url })
}

async function makeFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true })
  return mkdtemp(join(parent, 'ndx-redis-'))
}

/** In a file, not on the command line, where every user of the machine could read the password. */
function configure(port: number, password: string): string {
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'appendonly yes',
    'maxmemory-policy noeviction',
    'save ""',
    'daemonize no',
  ]
  return `${settings.join('\n')}\n`
}
