// What `--help` shows, made from the commands themselves.
import { type Command } from './command.ts'
import { commands } from './commands.ts'

const helpWidth = 100

export function generalHelp(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}\n`)
  return `ndx: a data-exchange gateway between public agencies, with a synthetic nation to try it on.

Usage: npx ndx <command> [arguments] [options]

Commands:
${rows.join('')}
Try:
  npx ndx start              then, in another terminal:
  npx ndx demo
  npx ndx watch

\`npx ndx <command> --help\` tells more of a command. NDX_URL names the gateway (default http://127.0.0.1:8080),
NDX_LEDGER_URL the ledger (default http://127.0.0.1:9470), NDX_DATA_DIR the folder of secrets, ledger and log (default data);
README lists every NDX_* variable.
Exit status: 0 done, 1 not done (the message says what to do), 2 the command line or the configuration is wrong.
`
}

export function commandHelp(name: string, { positionals, about, options, examples }: Command): string {
  const flags = Object.entries(options).map(([option, { value, multiple, about: meaning }]) => ({
    flag: `--${option}${value === undefined ? '' : ` <${value}>`}${multiple ? ' …' : ''}`,
    meaning,
  }))
  const rows = [...flags, { flag: '--help', meaning: 'show this' }]
  const width = Math.max(...rows.map(({ flag }) => flag.length)) + 2
  return `Usage: ${usageOf(name, positionals)}

${wrap(about)}

Options:
${rows.map(({ flag, meaning }) => `  ${flag.padEnd(width)}${meaning}\n`).join('')}
Examples:
${examples.map(([line, what]) => `  npx ndx ${line}\n      ${what}\n`).join('')}`
}

const usageOf = (name: string, positionals: readonly string[]): string =>
  ['npx ndx', name, ...positionals, '[options]'].join(' ')

/** Paragraphs, which blank lines part, in lines of the help's width. */
const wrap = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .map(wrapParagraph)
    .join('\n\n')

function wrapParagraph(paragraph: string): string {
  const lines = ['']
  for (const word of paragraph.split(/\s+/)) {
    const last = lines.at(-1) ?? ''
    if (last.length + 1 + word.length > helpWidth) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join('\n')
}
