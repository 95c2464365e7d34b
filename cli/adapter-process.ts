// An adapter that the command line starts: a shell line, in a process group of its own with a small shell that guards it. When our
// end of the guard's pipe closes, also by our own death, the guard kills the whole group; so nothing is left behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { type Readable, type Writable } from 'node:stream'
import { type Candidate } from '#conformance/candidate.ts'

/**
 * A line on its standard input asks for an orderly stop; the end of it kills. What the adapter's own line ended with comes on
 * descriptor 3. The shells survive the signal that they send to their group; what they started gets it.
 */
const guard = `trap : TERM INT
( trap : TERM INT; ( trap : TERM INT; eval "$1" ) 3>&-; echo $? >&3 ) </dev/null &
read -r line && { kill -TERM 0; read -r line; }
kill -KILL 0`

/** As Kafka's clients need to leave their group. */
const stopWithinMs = 10_000
const outputMax = 8 * 2 ** 20

interface Life {
  child: ChildProcess
  stdin: Writable
  /** Resolves when the whole group is gone and all that it printed is known. */
  closed: Promise<void>
  /** Resolves when the line itself has ended. */
  lineEnded: Promise<void>
}

export class AdapterProcess implements Candidate {
  readonly #line: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  #life: Life | undefined
  #output = ''
  #ended: string | undefined

  constructor(line: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#line = line
    this.#environment = environment
  }

  async start(): Promise<void> {
    const child = spawn('sh', ['-c', guard, 'adapter', this.#line], {
      env: { ...this.#environment },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    })
    const [stdin, stdout, stderr, ending] = child.stdio as unknown as [Writable, Readable, Readable, Readable]
    stdin.on('error', () => {}) // it may be gone already
    for (const stream of [stdout, stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.#print(text))
    this.#ended = undefined
    const closed = new Promise<void>((resolve, reject) => child.once('close', () => resolve()).once('error', reject))
    const lineEnded = new Promise<void>(resolve =>
      ending.setEncoding('utf8').once('data', (status: string) => {
        this.#ended = `ended with ${status.trim()}`
        resolve()
      }),
    )
    this.#life = { child, stdin, closed, lineEnded }
  }

  async kill(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    life?.stdin.end()
    await life?.closed
  }

  /** Asks it to stop, and kills what is left. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    life.stdin.write('stop\n')
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, stopWithinMs)
    })
    await Promise.race([life.lineEnded, life.closed, late])
    clearTimeout(timer)
    await this.kill()
  }

  output(): string {
    return this.#output
  }

  ended(): string | undefined {
    return this.#ended
  }

  #print(text: string): void {
    if (this.#output.length < outputMax) this.#output += text.slice(0, outputMax - this.#output.length)
  }
}
