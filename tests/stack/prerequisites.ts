// What local servers need of the machine. What is missing is installed where that is ours to do (root on Debian or
// Ubuntu, as in a throw-away CI container), else named, all at once, with the command that installs it.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { say } from './progress.ts'

export interface Prerequisite {
  name: string
  aptPackage: string
  isPresent(): Promise<boolean>
}

const run = promisify(execFile)
const javaMajorMin = 17
const installMs = 15 * 60_000

export const java: Prerequisite = {
  name: `java (${javaMajorMin} or later)`,
  aptPackage: 'default-jre-headless',
  isPresent: async () => (await findJavaMajor()) >= javaMajorMin,
}
export const maven: Prerequisite = { name: 'mvn', aptPackage: 'maven', isPresent: () => isOnPath('mvn') }
export const redisServer: Prerequisite = {
  name: 'redis-server',
  aptPackage: 'redis-server',
  isPresent: () => isOnPath('redis-server'),
}

/** @throws Error that names everything that is missing and could not be installed */
export async function ensurePresent(needed: Prerequisite[]): Promise<void> {
  const missing = await findMissing(needed)
  if (missing.length === 0) return
  if (await canInstall()) await install(missing)
  const left = await findMissing(missing)
  if (left.length === 0) return
  const names = left.map(one => one.name).join(', ')
  const packages = left.map(one => one.aptPackage).join(' ')
  throw new Error(
    `the local test stack needs ${names}. Install it (Debian, Ubuntu: sudo apt-get install ${packages}), ` +
      'or start Docker and the tests will use that.',
  )
}

/** The version that `redis-server` says it is. */
export async function findRedisVersion(): Promise<string> {
  const { stdout } = await run('redis-server', ['--version'], { timeout: 10_000 })
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
}

async function findMissing(needed: Prerequisite[]): Promise<Prerequisite[]> {
  const present = await Promise.all(needed.map(one => one.isPresent()))
  return needed.filter((_, index) => !present[index])
}

async function findJavaMajor(): Promise<number> {
  try {
    const { stdout, stderr } = await run('java', ['-version'], { timeout: 30_000 })
    return Number(/version "(\d+)/.exec(stderr + stdout)?.[1] ?? 0)
  } catch {
    return 0 // Not there, or the placeholder that macOS puts in its place.
  }
}

async function isOnPath(command: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return (await Promise.all(folders.map(folder => isExecutable(join(folder, command))))).includes(true)
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isExecutable('/usr/bin/apt-get'))
}

/** Debian starts the daemons it installs; its own way to forbid that is a policy-rc.d that answers 101. */
async function install(missing: Prerequisite[]): Promise<void> {
  const packages = missing.map(one => one.aptPackage).join(' ')
  say(`stack: installing ${packages} with apt-get …`)
  const script = `set -e
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
      trap 'rm -f $policy' EXIT
      trap 'exit 130' INT TERM HUP
      printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 ${packages}`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('/bin/sh', ['-c', script], { env, timeout: installMs, maxBuffer: 64 * 2 ** 20 }).catch(error => {
    throw new Error(`apt-get could not install ${packages}: ${lastLines(String(error.stderr || error.message))}`, {
      cause: error,
    })
  })
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n')
}
