// Live progress on standard error: a line for each hour of the simulated day (or each few seconds of a rate) when it is over.
import { padTo } from '../safe-text.ts'
import { type Terminal } from '../terminal.ts'
import { type Result } from './asking.ts'
import { clockOf } from './day-profile.ts'
import { countByHour, type Plan, type Wave } from './plan.ts'
import { isAnswered } from './report.ts'

export interface Progress {
  result(result: Result): void
  wave(wave: Wave): void
}

const barWidth = 30
const secondsALine = 5

export function createProgress(
  plan: Plan,
  { say, paint }: Pick<Terminal, 'say' | 'paint'>,
  clock: () => number,
): Progress {
  const planned = plan.waves.reduce((sum, { errands }) => sum + errands.length, 0)
  say(
    `${planned.toLocaleString('en')} errands of ${new Set(plan.lanes.map(({ agreement }) => agreement.client)).size} clients`,
  )
  const fullest = Math.max(1, ...countByHour(plan))
  let [asked, answered, refused, sinceMs] = [0, 0, 0, clock()]
  return {
    result({ outcome }) {
      asked++
      if (isAnswered(outcome)) answered++
      else refused++
    },
    wave({ quarter, startsMs }) {
      const isEnd = startsMs === undefined ? quarter % 4 === 3 : (startsMs / 1000) % secondsALine === secondsALine - 1
      if (!isEnd) return
      const perSecond = Math.round((asked * 1000) / Math.max(1, clock() - sinceMs))
      const when =
        startsMs === undefined ? `${clockOf(quarter - 3)}–${clockOf(quarter + 1)}` : `${startsMs / 1000 + 1} s`
      const bar =
        startsMs === undefined
          ? ` ${padTo(barWidth, '█'.repeat(Math.ceil((asked / fullest) * barWidth)).slice(0, barWidth))}`
          : ''
      const counts = `${asked} asked, ${answered} answered, ${refused} refused`
      say(`${paint('bold', when)}${paint('cyan', bar)} ${counts} (${perSecond}/s)`)
      ;[asked, answered, refused, sinceMs] = [0, 0, 0, clock()]
    },
  }
}
