// The two ends of a command: standard output is for what was asked for, standard error for all else, so that a script can take
// the first as it is. Colours only on a terminal that wants them (https://no-color.org). The environment comes with it.
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Width of the terminal; undefined when output goes elsewhere. */
  readonly columns: number | undefined
  /** Writes what was asked for; resolves when there is room for more. */
  write(text: string): Promise<void>
  /** Writes a line for a human. */
  say(line: string): void
  paint(style: Style, text: string): string
  readonly input: NodeJS.ReadStream
}

type Streams = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env'>

export function createTerminal({ stdin, stdout, stderr, env }: Streams): Terminal {
  const isColourful = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return {
    environment: env,
    get columns() {
      return stdout.isTTY ? stdout.columns : undefined
    },
    write: text =>
      new Promise(resolve => {
        stdout.write(text, () => resolve())
      }),
    say: line => {
      stderr.write(`${line}\n`)
    },
    paint: (style, text) => (isColourful ? styleText(style, text, { validateStream: false }) : text),
    get input() {
      return stdin
    },
  }
}
