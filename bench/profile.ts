// Reads a V8 CPU profile (.cpuprofile) and says where the time went: self time by function and by part of the tree. Only the
// samples within given windows count; a profile of Linux has the monotonic clock's microseconds.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  startTime: number
  samples: number[]
  timeDeltas: number[]
}

export interface Span {
  fromMs: number
  toMs: number
}

export interface Cost {
  name: string
  /** Share of the process's busy time, 0 … 1. */
  share: number
}

export interface Costs {
  /** Share of the windows in which the process's main thread was busy. */
  busy: number
  functions: Cost[]
  folders: Cost[]
}

const idleNames = ['(idle)', '(root)']

export function readCosts(file: string, root: string, spans: readonly Span[]): Costs {
  return costsOf(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, root, spans)
}

export function costsOf(profile: CpuProfile, root: string, spans: readonly Span[]): Costs {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame, root)]))
  const byFunction = new Map<string, number>()
  const byFolder = new Map<string, number>()
  let busyUs = 0
  let allUs = 0
  let atUs = profile.startTime
  for (const [i, id] of profile.samples.entries()) {
    const startUs = atUs + (profile.timeDeltas[i] ?? 0)
    const lastsUs = profile.timeDeltas[i + 1] ?? 0
    atUs = startUs
    const frame = frames.get(id)
    if (frame === undefined || !isWithin(startUs / 1000, spans)) continue
    allUs += lastsUs
    if (idleNames.includes(frame.name)) continue
    busyUs += lastsUs
    const label = `${frame.name}  ${frame.place}`.trimEnd()
    byFunction.set(label, (byFunction.get(label) ?? 0) + lastsUs)
    byFolder.set(frame.folder, (byFolder.get(frame.folder) ?? 0) + lastsUs)
  }
  return { busy: busyUs / allUs, functions: sortCosts(byFunction, busyUs), folders: sortCosts(byFolder, busyUs) }
}

const isWithin = (ms: number, spans: readonly Span[]): boolean =>
  spans.some(({ fromMs, toMs }) => fromMs <= ms && ms <= toMs)

const sortCosts = (costs: Map<string, number>, all: number): Cost[] =>
  Array.from(costs, ([name, us]) => ({ name, share: us / all })).toSorted((a, b) => b.share - a.share)

/** `writev` → node's own binding; `node_modules/pkg` → the package; else the tree's folder. */
function placeOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], root: string) {
  const name = functionName || '(anonymous)'
  if (url === '') return { name, place: '', folder: name.startsWith('(') ? name : 'native' }
  if (!url.startsWith('file://') && !url.startsWith('/'))
    return { name, place: `${url}:${lineNumber + 1}`, folder: folderOfNode(url) }
  const path = relative(root, url.startsWith('file://') ? fileURLToPath(url) : url)
  return { name, place: `${path}:${lineNumber + 1}`, folder: folderOf(path) }
}

const folderOfNode = (url: string): string => (url.startsWith('node:') ? 'node' : url || 'native')

function folderOf(path: string): string {
  const [first = '', second = '', third = ''] =
    path
      .split(/.*node_modules\//)
      .at(-1)
      ?.split('/') ?? []
  if (path.includes('node_modules/')) return `package ${first.startsWith('@') ? `${first}/${second}` : first}`
  return third === '' ? first : `${first}/${second}`
}

/** Lines for people. */
export function renderCosts(title: string, { busy, functions, folders }: Costs, most = 25): string {
  const line = ({ name, share }: Cost): string => `${(share * 100).toFixed(1).padStart(6)} %  ${name}`
  return [
    `${title}: main thread busy ${Math.round(busy * 100)} % of the time; self time of that, by function`,
    ...functions.slice(0, most).map(line),
    '  and by part',
    ...folders.slice(0, 15).map(line),
  ].join('\n')
}
