// The help of every command, and what a wrong command line gets: status 2, nothing on standard output, a hint.
import { describe, expect, test } from 'vitest'
import { commands } from '#cli/commands.ts'
import { version } from '#runtime/version.ts'
import { ndxHere as ndx, ndx as ndxProcess } from './ndx.ts'

const names = Object.keys(commands)

test('the process hands on what the dispatcher says', async () => {
  expect(await ndxProcess(['token', '--help'])).toEqual(await ndx(['token', '--help']))
  expect(await ndxProcess(['tokne'])).toEqual(await ndx(['tokne']))
})

describe('help', () => {
  test('of the whole lists every command', async () => {
    const { status, stdout, stderr } = await ndx(['--help'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const [name, { summary }] of Object.entries(commands))
      expect(stdout).toContain(`  ${name.padEnd(14)}${summary}\n`)
    expect(await ndx(['help'])).toEqual({ status: 0, stdout, stderr: '' })
  })

  test.each(names)('of %s shows how to call it, its options and examples', async name => {
    const loaded = await commands[name]!.load()
    const { status, stdout, stderr } = await ndx([name, '--help'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.startsWith(`Usage: npx ndx ${name} `)).toBe(true)
    for (const option of Object.keys(loaded.command.options)) expect(stdout).toContain(`  --${option}`)
    expect(loaded.command.examples.length).toBeGreaterThan(0)
    for (const [line] of loaded.command.examples) {
      expect(line.split(' ')[0]).toBe(name)
      expect(stdout).toContain(`  npx ndx ${line}\n`)
    }
    expect(stdout.split('\n').filter(line => line.length > 120)).toEqual([])
  })

  test('of a command is also had by naming it after help', async () => {
    expect(await ndx(['help', 'token'])).toEqual(await ndx(['token', '--help']))
  })

  test('is what remains of a line that is otherwise wrong', async () => {
    expect(await ndx(['token', '--nonsense', '-h'])).toEqual(await ndx(['token', '--help']))
  })

  test('--version prints the version alone', async () => {
    expect(await ndx(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })
})

const see = (who: string): string => `See: npx ${who} --help\n`

describe('a wrong command line', () => {
  test.each([
    [['tokne'], `ndx: there is no command “tokne”. Did you mean token?\n${see('ndx')}`],
    [['constructor'], `ndx: there is no command “constructor”.\n${see('ndx')}`],
    [['--verbose', 'token'], `ndx: there is no option before the command “--verbose”.\n${see('ndx')}`],
    [['help', 'servces'], `ndx: there is no command “servces”. Did you mean services?\n${see('ndx')}`],
    [['token'], `ndx token: <client> is missing.\n${see('ndx token')}`],
    [['token', 'bank', 'other'], `ndx token: “other” is one argument too many.\n${see('ndx token')}`],
    [
      ['token', 'bank', '--ulr', 'x'],
      `ndx token: there is no option “--ulr”. Did you mean --url?\n${see('ndx token')}`,
    ],
    [
      ['token', 'bank', '--url', 'localhost:80'],
      `ndx token: --url must be an address like http://127.0.0.1:8080.\n${see('ndx token')}`,
    ],
    [['token', '\u001b[31m', 'a'], `ndx token: “a” is one argument too many.\n${see('ndx token')}`],
    [['\u001b[31m'], `ndx: there is no command “\\u{1b}[31m”.\n${see('ndx')}`],
    [['person'], `ndx person: <n> is missing.\n${see('ndx person')}`],
    [['person', '100000000'], `ndx person: <n> is a whole number from 0 to 99,999,999.\n${see('ndx person')}`],
    [['person', '1.5'], `ndx person: <n> is a whole number from 0 to 99,999,999.\n${see('ndx person')}`],
    [['enterprise', '900000'], `ndx enterprise: <n> is a whole number from 0 to 899,999.\n${see('ndx enterprise')}`],
    [['counters', '--day', 'today'], `ndx counters: --day is written yyyy-mm-dd.\n${see('ndx counters')}`],
    [['ledger', 'restore'], `ndx ledger: ledger takes backup or succeed.\n${see('ndx ledger')}`],
    [['topics', 'delete'], `ndx topics: topics takes create or check.\n${see('ndx topics')}`],
    [
      ['topics', '--wait', '0'],
      `ndx topics: --wait is a whole number of seconds, from 1 to 9999.\n${see('ndx topics')}`,
    ],
    [['watch', 'x.log'], `ndx watch: watch takes - for standard input; a file is --file <path>.\n${see('ndx watch')}`],
    [
      ['watch', '--since', 'noon'],
      `ndx watch: --since is a number of seconds, or like 10m, 2h, 1d.\n${see('ndx watch')}`,
    ],
  ])('%j', async (line, stderr) => {
    expect(await ndx(line)).toEqual({ status: 2, stdout: '', stderr })
  })

  test('an option without its value is named', async () => {
    const { status, stdout, stderr } = await ndx(['token', 'bank', '--url'])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('--url')
  })

  test('no command at all gets the help on standard error', async () => {
    const { status, stdout, stderr } = await ndx([])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('Commands:')
  })

  test('a wrong configuration is named as a whole', async () => {
    const { status, stdout, stderr } = await ndx(['clients'], { NDX_PROT: '1', NDX_PORT: 'x' })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('NDX_PROT: there is no such variable')
    expect(stderr).toContain('NDX_PORT: must be integer')
  })
})
