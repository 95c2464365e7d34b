// How the programs in Go are built: torchwood's witness as it is, and a small one of ours that reads a log with torchwood's client.
// Their versions are pinned in tlog/go.mod; the modules come from the Go proxy, through `go` itself.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const module = join(import.meta.dirname, 'tlog')
const torchwood = 'filippo.io/torchwood/cmd'
/** No other Go than the one that is here, and no C compiler. */
const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' }
/** Of modules that are not here yet. */
const downloadMs = 120_000
/** A first build compiles SQLite: a minute or two. */
export const buildMs = 600_000

export interface GoPrograms {
  reader: string
  litewitness: string
  witnessctl: string
}

/** What builds them into a folder; or what is missing here. */
export async function findGo(): Promise<{ build(folder: string): Promise<GoPrograms> } | { missing: string }> {
  const version = await run('go', ['version'], { env }).catch(() => undefined)
  if (version === undefined) return { missing: 'there is no go on the PATH' }
  try {
    await run('go', ['mod', 'download'], { cwd: module, env, timeout: downloadMs })
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? error)
    return { missing: `the Go modules cannot be had: ${said.trim().split('\n')[0]}` }
  }
  return {
    build: async folder => {
      const packages = ['.', `${torchwood}/litewitness`, `${torchwood}/witnessctl`]
      await run('go', ['build', '-o', `${folder}/`, ...packages], { cwd: module, env, timeout: buildMs })
      return {
        reader: join(folder, 'tlog'),
        litewitness: join(folder, 'litewitness'),
        witnessctl: join(folder, 'witnessctl'),
      }
    },
  }
}
