// What every procedure of the bench does with a target: let it warm up, see that its answers are right, measure it under a load.
import { getToken } from '#tests/client.ts'
import { type Generator } from './generator-process.ts'
import { type Load } from './load.ts'
import { client } from './questions.ts'
import { assertSameWork } from './same-work.ts'
import { type Target } from './target.ts'
import { measureWindow, type Row, type WindowOptions, waitForQuiet } from './window.ts'
import { type World } from './world.ts'

export interface Bench {
  world: World
  generator: Generator
  targets: readonly Target[]
  /** Issues tokens for all: they share their secrets. */
  issuerUrl: string
}

export interface WarmUp {
  warmUpSeconds: number
  jvmWarmUpSeconds: number
}

const leadSeconds = 1
/** So many answers until the compiler has settled, on a busy machine too; but no longer than this. */
const warmAnswers = 25_000
const warmUpMaxSeconds = 40

/** Answers must be right, and wrong requests refused, before anything is measured. */
export async function warmUp(bench: Bench, target: Target, options: WarmUp): Promise<void> {
  const { generator } = bench
  const { url, name } = target
  const token = await newToken(bench)
  await assertSameWork(target, token)
  const first = await generator.run({ url, token, load: { kind: 'open', perSecond: 50 }, seconds: 2 })
  if (first.answered !== 100 || first.wrong > 0)
    throw new Error(`${name} does not answer rightly: ${JSON.stringify(first)}`)
  const least = target.isJvm === true ? options.jvmWarmUpSeconds : options.warmUpSeconds
  if (least === 0) return
  await tell(`${name}: 100 answers are right, bad requests are refused; warming up`, async () => {
    const load = { kind: 'closed', concurrent: 64 } as const
    let answered = 0
    for (let second = 0; second < least || (answered < warmAnswers && second < warmUpMaxSeconds); second += 2)
      answered += (await generator.run({ url, token, load, seconds: 2 })).answered
  })
}

export interface MeasureOptions extends Pick<WindowOptions, 'round' | 'judge' | 'settleMaxMs'> {
  target: Target
  load: Load
  seconds: number
  patienceSeconds: number
}

/** Waits for quiet, leads in with a second of the same load, measures, and says what came of it. */
export async function measureOne(bench: Bench, { patienceSeconds, ...options }: MeasureOptions): Promise<Row> {
  const { generator } = bench
  const { target, load } = options
  await waitForQuiet(patienceSeconds)
  const token = await newToken(bench)
  await generator.run({ url: target.url, token, load, seconds: leadSeconds })
  const row = await measureWindow({ ...options, generator, token })
  say(`round ${row.round}  ${describeRow(row)}`)
  return row
}

/** One a measurement, since a token lives ten minutes. */
export const newToken = ({ issuerUrl, world }: Pick<Bench, 'issuerUrl' | 'world'>, who: string = client) =>
  getToken({ url: issuerUrl, dataDir: world.dataDir, client: who })

function describeRow({ target, load, perSecond, p99Ms, cpuUs, othersShare, speed, codes, faults }: Row): string {
  const cpu = Object.entries(cpuUs).map(([part, us]) => `${part} ${Math.round(us)}`)
  const refused = Object.entries(codes).map(([code, count]) => `, ${count} × ${code}`)
  const notes = faults.length === 0 ? '' : `  VOID: ${faults.join('; ')}`
  const others = othersShare === undefined ? '' : `, others ${Math.round(othersShare * 100)} %`
  return `${target}, ${load}: ${perSecond}/s, p99 ${p99Ms?.toFixed(1)} ms${refused.join('')}, CPU µs ${cpu.join(' ')} (speed ${speed}${others})${notes}`
}

export async function tell<T>(line: string, act: () => Promise<T>): Promise<T> {
  say(`${line} …`)
  return act()
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
