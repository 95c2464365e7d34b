// What holds of the tests themselves. The two commands together run every file, and none twice: asked of vitest, with the arguments of
// package.json. And no test says how soon something is done, or sleeps: a busy machine would decide.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import config from '../vitest.config.ts'
import { root } from './documents.ts'
import { run } from './shell.ts'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const testFiles = globSync('**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] }).map(file => join(root, file))

/** What the script would run, a file as often as it would. */
async function filesOf(script: string): Promise<string[]> {
  const command = /\bvitest run .*$/.exec(scripts[script] ?? '')?.[0] ?? `${script} runs no vitest`
  const { stdout, stderr } = await run(`${command.replace('vitest run', 'vitest list')} --filesOnly --json`)
  expect(stdout, stderr).toMatch(/^\[/)
  return (JSON.parse(stdout) as { file: string }[]).map(({ file }) => file)
}

test('npm test and npm run test:long together run every test file once', async () => {
  const run = [...(await filesOf('test')), ...(await filesOf('test:long'))]
  expect(run.toSorted()).toEqual(testFiles.toSorted())
})

test('npm run check runs a part of what npm test runs, and nothing on servers', async () => {
  const [checked, tested] = [await filesOf('check'), new Set(await filesOf('test'))]
  expect(checked.length).toBeGreaterThan(100)
  expect(checked.filter(file => !tested.has(file) || file.includes('/integration/'))).toEqual([])
})

test('every file that vitest.config.ts names is there', () => {
  const projects = config.test?.projects as { test: { include: string[] } }[]
  const named = projects.flatMap(({ test: { include } }) => include.filter(pattern => !pattern.includes('*')))
  expect(named.filter(file => !testFiles.includes(join(root, file)))).toEqual([])
})

/** A span of a real clock held to be short. Other ways to write one are for the reviewer to see. */
const saysHowSoon =
  /\((performance|Date)\.now\(\) - [^\n]*\.toBeLess|\b(took|elapsed|slowest|waited)Ms\b[^\n]*(\.toBeLess| < )/
const sleeps = /setTimeout\([a-z]+, ?\d[\d_]+\)|\bsleep\(/

test.each([
  ['says how soon', saysHowSoon],
  ['sleeps', sleeps],
])('no test %s', (_, form) => {
  const wrong = globSync('tests/**/*{.test,-suite}.ts', { cwd: root }).filter(file =>
    form.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(wrong).toEqual([])
})
