// Where two exports of one log part: the first entry that differs, and in which members. Reads both side by side and verifies
// nothing; that is `verifyExport`'s.
import { decodeEntry } from '#ledger/event.ts'
import { decodeSize } from '#ledger/notes/encoding.ts'
import { exportMark } from './export.ts'
import { Fault, quote } from './fault.ts'

export interface Difference {
  /** First entry that differs; not given when the headers do. */
  index?: number
  what: string
}

interface Entry {
  index: number
  line: string
}

type Lines = AsyncIterable<string> | Iterable<string>

/** `undefined` when all entries that both should have are the same. Rejects with Fault for what is no export. */
export async function diffExports(a: Lines, b: Lines): Promise<Difference | undefined> {
  const left = iterate(a)
  const right = iterate(b)
  try {
    const [headerOfA, headerOfB] = [await readHeader(left), await readHeader(right)]
    if (headerOfA.origin !== headerOfB.origin) return { what: `a is of ${headerOfA.origin}, b of ${headerOfB.origin}` }
    const from = Math.max(headerOfA.from, headerOfB.from)
    let [one, other] = [await entryFrom(left, from), await entryFrom(right, from)]
    while (one !== undefined && other !== undefined) {
      if (one.line !== other.line) return describe(one, other)
      ;[one, other] = [await nextEntry(left), await nextEntry(right)]
    }
    if (one !== undefined) return { index: one.index, what: `b ends before entry ${one.index}` }
    if (other !== undefined) return { index: other.index, what: `a ends before entry ${other.index}` }
    return undefined
  } finally {
    await left.return?.()
    await right.return?.()
  }
}

const iterate = (lines: Lines): AsyncIterator<string> | Iterator<string> =>
  Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]()

async function readHeader(lines: AsyncIterator<string> | Iterator<string>) {
  const header: string[] = []
  for (let at = 0; at < 4; at++) {
    const { value, done } = await lines.next()
    if (done !== true) header.push(value)
  }
  const [mark, origin = '', from = ''] = header
  const start = decodeSize(from.replace(/^from /, ''))
  if (mark !== exportMark || header.length < 4 || start === undefined) throw new Fault('this is no export')
  return { origin: quote(origin.replace(/^origin /, '')), from: start }
}

async function nextEntry(lines: AsyncIterator<string> | Iterator<string>): Promise<Entry | undefined> {
  for (;;) {
    const { value: line, done } = await lines.next()
    if (done === true) return undefined
    if (line.startsWith('checkpoint ')) continue
    const index = decodeSize(line.slice(0, Math.max(0, line.indexOf(' '))))
    if (index === undefined) throw new Fault(`a line is neither an entry nor a checkpoint: ${quote(line)}`)
    return { index, line }
  }
}

async function entryFrom(lines: AsyncIterator<string> | Iterator<string>, from: number): Promise<Entry | undefined> {
  let entry = await nextEntry(lines)
  while (entry !== undefined && entry.index < from) entry = await nextEntry(lines)
  return entry
}

function describe(a: Entry, b: Entry): Difference {
  const index = Math.min(a.index, b.index)
  if (a.index !== b.index) return { index, what: `a has entry ${a.index} where b has entry ${b.index}` }
  const [one, other] = [membersOf(a.line), membersOf(b.line)]
  if (one === undefined || other === undefined) return { index, what: 'one of them is no entry' }
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  const changed = names.filter(name => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
  if (changed.length === 0) return { index, what: 'their hashes or their forms differ, their members do not' }
  return {
    index,
    what: changed.map(name => `${name}: ${shown(one[name])} in a, ${shown(other[name])} in b`).join('; '),
  }
}

const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 200) ?? '')

/** Of its events; where there are several, each name says of which: `2.code`. */
function membersOf(line: string): Record<string, unknown> | undefined {
  const events = decodeEntry(line.split(' ').slice(2).join(' '))
  if (events === undefined || events.length === 1) return events?.[0]
  return Object.fromEntries(
    events.flatMap((event, i) => Object.entries(event).map(([name, value]) => [`${i + 1}.${name}`, value])),
  )
}
