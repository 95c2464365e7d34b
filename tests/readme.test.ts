// README says the truth: its links and names lead somewhere, its table of settings is the configuration's, its list of dependencies
// is package.json's. What its commands do, readme-commands.test.ts tries.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry, ownContractsDir } from '#contracts/registry.ts'
import { createValidation } from '#contracts/validation.ts'
import { settings } from '#runtime/config.ts'
import { exampleIn, readBlocks, root } from './documents.ts'

const blocks = readBlocks('README.md')

describe('README', () => {
  test('leads with the two commands, and names no script that package.json has not', () => {
    const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim())
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test'])
    const text = readFileSync(join(root, 'README.md'), 'utf8')
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const named = new Set(
      [...text.matchAll(/\bnpm (?:run ([a-z:]+)|(start|test)\b)/g)].map(([, run, own]) => run ?? own),
    )
    expect([...named]).toEqual(expect.arrayContaining(['start', 'test', 'test:long']))
    expect([...named].filter(name => !Object.hasOwn(scripts, name as string))).toEqual([])
  })

  test('shows a grant that the schema accepts', () => {
    const schema = JSON.parse(readFileSync(join(ownContractsDir, 'agreement.schema.json'), 'utf8')) as {
      properties: { grants: { items: JsonObject } }
    }
    const check = createValidation('simulated').compile(schema.properties.grants.items)
    expect(check(exampleIn(blocks, '"portal-enterprise"'))).toBeUndefined()
  })

  test('lists every setting, its default and meaning', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const [before, rest] = readme.split(/<!-- settings:[^\n]*-->\n/) as [string, string]
    const after = rest.slice(rest.indexOf('<!-- /settings -->'))
    const marker = readme.slice(before.length, readme.length - rest.length)
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(join(root, 'README.md'), `${before}${marker}${settingsTable()}${after}`)
    else expect(rest.slice(0, rest.length - after.length)).toBe(settingsTable())
  })

  test('names every dependency, and no other', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >
    const section = readFileSync(join(root, 'README.md'), 'utf8').split('## Dependencies')[1]?.split('\n## ')[0] ?? ''
    const named = section
      .split('\n')
      .filter(line => line.startsWith('| ') && !line.startsWith('| package'))
      .flatMap(line =>
        (line.split('|')[1] ?? '')
          .replace('*development:*', '')
          .split(',')
          .map(name => name.trim()),
      )
    expect(named.sort()).toEqual([...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})].sort())
  })

  test.each(readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isOwnDocument))(
    '%s links only to what exists',
    path => {
      const text = readFileSync(join(root, path), 'utf8')
      const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) =>
        join(root, path, '..', target as string),
      )
      expect(targets.filter(target => !exists(target))).toEqual([])
    },
  )

  test('speaks of services that exist', () => {
    const registry = loadRegistry({ idScheme: 'simulated' })
    const named =
      readFileSync(join(root, 'README.md'), 'utf8').match(/(?:population|business-registration)\/[a-z-]+/g) ?? []
    expect([...new Set(named)].filter(id => registry.find(id) === undefined)).toEqual([])
  })
})

function isOwnDocument(path: string): boolean {
  return path.endsWith('.md') && !/(^|\/)(node_modules|data|tmp|\.git)\//.test(path)
}

function exists(path: string): boolean {
  try {
    readdirSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  }
}

function settingsTable(): string {
  const rows = Object.entries<{ fallback?: string | number; about: string }>(settings).map(
    ([name, { fallback, about }]) => `| \`${name}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${about} |`,
  )
  return `\n| variable | default | what it is |\n|---|---|---|\n${rows.join('\n')}\n\n`
}
