// Kafka's own jars, brought once from Maven Central into the user's cache and shared by every run after that.
// A folder appears there only when it is complete, so two runs at once, or a cut one, do no harm.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaVersion } from './kafka-settings.ts'
import { ensurePresent, java, maven } from './prerequisites.ts'
import { say } from './progress.ts'

const run = promisify(execFile)
const fetchMs = 15 * 60_000
const pom = join(import.meta.dirname, 'kafka.pom.xml')
// Pinned: which plugin an unpinned call means depends on the Maven that is installed.
const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** The folder of the jars; fetches them if they are not there, and sees to it that what runs them is. */
export async function ensureKafkaJars(): Promise<string> {
  const jars = await kafkaJarsFolder()
  const isThere = await exists(jars)
  await ensurePresent(isThere ? [java] : [java, maven])
  if (!isThere) await fetchInto(jars)
  return jars
}

/** Whether a run needs Maven no more. */
export async function hasKafkaJars(): Promise<boolean> {
  return exists(await kafkaJarsFolder())
}

async function kafkaJarsFolder(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
  return join(cache, 'ndx', `kafka-${kafkaVersion}`, `libs-${digest.slice(0, 12)}`)
}

async function fetchInto(jars: string): Promise<void> {
  say(`kafka: fetching ${kafkaVersion} from Maven Central (once) …`)
  await mkdir(join(jars, '..'), { recursive: true })
  const partial = await mkdtemp(`${jars}.partial-`)
  const goal = [copy, '-DincludeScope=runtime', `-DoutputDirectory=${partial}`, `-Dkafka.version=${kafkaVersion}`]
  try {
    await run('mvn', ['-B', '-q', '-f', pom, ...goal], { timeout: fetchMs, maxBuffer: 64 * 2 ** 20 })
    await rename(partial, jars)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (await exists(jars)) return // Another run was faster.
    throw new Error(`Maven could not bring Kafka ${kafkaVersion}: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string }
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').filter(line => line.includes('ERROR'))
  return lines.slice(0, 2).join('\n') || message
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
