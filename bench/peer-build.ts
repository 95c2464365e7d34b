// Makes the peers runnable: their own dependencies in their own folders, by npm and Maven, once and again when their source
// has changed. Nothing of them is a dependency of the project.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { java, maven } from '#tests/stack/prerequisites.ts'

export const nestjsDir = join(import.meta.dirname, 'peers/nestjs')
export const springDir = join(import.meta.dirname, 'peers/spring')
export const springJar = join(springDir, 'target/spring-peer.jar')

const tellEveryMs = 10_000
const outputKept = 40

export type Say = (line: string) => void

/** @throws Error with the end of what npm or the compiler wrote */
export async function buildNestjs(say: Say): Promise<void> {
  const inFolder = (path: string): string => join(nestjsDir, path)
  if (isOlder([inFolder('node_modules/.package-lock.json')], [inFolder('package-lock.json')]))
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], nestjsDir, say)
  const sources = filesIn(inFolder('src'))
  const built = ['gateway', 'adapter'].map(name => inFolder(`dist/${name}.js`))
  if (isOlder(built, [...sources, inFolder('tsconfig.json')]))
    await run(process.execPath, ['node_modules/typescript/bin/tsc'], nestjsDir, say)
}

/** What keeps Spring's peer from being measured; undefined: it is built. */
export async function buildSpring(say: Say): Promise<string | undefined> {
  if (!(await java.isPresent())) return `there is no ${java.name}`
  if (!isOlder([springJar], [...filesIn(join(springDir, 'src')), join(springDir, 'pom.xml')])) return undefined
  if (!(await maven.isPresent())) return `there is no ${maven.name}`
  await run('mvn', ['-B', '-q', '-ntp', 'package'], springDir, say)
  return undefined
}

/** Whether one of the files is missing, or older than what it is made of. */
function isOlder(made: readonly string[], from: readonly string[]): boolean {
  if (!made.every(file => existsSync(file))) return true
  const timeOf = (file: string): number => statSync(file).mtimeMs
  return Math.min(...made.map(timeOf)) < Math.max(...from.map(timeOf))
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

/** Says that it still runs, every ten seconds, since npm and Maven may fetch for minutes. */
async function run(command: string, args: readonly string[], cwd: string, say: Say): Promise<void> {
  const line = `${[command.split('/').at(-1), ...args].join(' ')} (in ${cwd.split('/').slice(-3).join('/')})`
  say(`${line} …`)
  const startedMs = performance.now()
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1000)
  const output: string[] = []
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.push(...text.split('\n').filter(part => part.trim() !== ''))
      output.splice(0, output.length - outputKept)
    })
  const timer = setInterval(() => say(`  still at it: ${seconds()} s`), tellEveryMs)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject).once('close', resolve)
  const status = await promise.finally(() => clearInterval(timer))
  if (status !== 0) throw new Error(`${line} ended with ${status}:\n${output.join('\n')}`)
  say(`  done in ${seconds()} s`)
}
