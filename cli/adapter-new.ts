// Writes a new adapter into this checkout: contract, handler, test. All three or none; what is there already is left alone. What it
// cannot write, because it is in files that others have changed, it prints.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isAgencyCode } from '#contracts/agency-code.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { fillTemplate, type Naming } from './adapter-template.ts'
import { CommandError, UsageError } from './command.ts'
import { type Terminal } from './terminal.ts'

const root = resolve(import.meta.dirname, '..')
/** For a provider that has no contract yet: the Government Office, which coordinates. */
const agencyFallback = 'G22'

export interface NewAdapter {
  provider: string
  service: string
  agency: string | undefined
}

export async function writeAdapter({ provider, service, agency }: NewAdapter, terminal: Terminal): Promise<number> {
  if (agency !== undefined && !isAgencyCode(agency))
    throw new UsageError('--agency is an official code, like G15 or G12.18.')
  if (provider === 'agreements') throw new UsageError('agreements is the folder of the clients, not a provider.')
  const { services } = loadRegistry({ idScheme: 'simulated' })
  const known = services.find(one => one.providerId === provider)
  const naming: Naming = { provider, service, agency: agency ?? known?.contract.provider ?? agencyFallback }
  const files: [string, string][] = [
    [`contracts/${provider}/${service}.v1.json`, fillTemplate('contract.json', naming)],
    [`services/${provider}/${service}.ts`, fillTemplate('handler.ts.txt', naming)],
    [`tests/services/${provider}/${service}.test.ts`, fillTemplate('test.ts.txt', naming)],
  ]
  const existing = files.map(([file]) => file).filter(file => existsSync(join(root, file)))
  if (existing.length > 0)
    throw new CommandError(
      `${existing.join(', ')}: there already; nothing was written.\nChoose another name, or remove it.`,
    )
  for (const [file, text] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text, { flag: 'wx' })
  }
  await terminal.write(
    describe(
      naming,
      files.map(([file]) => file),
      known === undefined,
    ),
  )
  return 0
}

function describe(naming: Naming, files: readonly string[], isNewProvider: boolean): string {
  const { provider, service, agency } = naming
  const compose = isNewProvider
    ? `For the real stack, into docker-compose.yml under services:\n\n${fillTemplate('compose.txt', naming)}`
    : `docker-compose.yml has adapter-${provider} already.\n`
  return `${files.map(file => `wrote ${file}\n`).join('')}
It answers for the agency ${agency}. Change contract and handler to what your register knows, and check as often as you like:

  npx vitest run --project unit tests/services/${provider}
  npx ndx adapter check ${provider}/${service}

For whoever may ask, into grants of contracts/agreements/<client>.json:

${fillTemplate('grant.txt', naming)}
${compose}
The documents of the gateway change with a new contract: UPDATE_GOLDEN=1 npm run check writes them anew.
services/README.md leads through it.
`
}
