// How a working day's questions spread over its quarter hours: a Monday, on which offices open with a queue at 08:30. Pure.
import { interpolate } from '#nation/chance.ts'

/** office: desks · public: people at home, evenings too · commerce: shops and branches · nightly: reconciliations while offices sleep */
export type ProfileName = 'office' | 'public' | 'commerce' | 'nightly'

export const quartersADay = 96
/** 08:30, when the desks that were closed for two days open. */
export const peakQuarter = 34

/** Relative load at hours of the day. */
const shapes: Readonly<Record<ProfileName, readonly (readonly [hour: number, load: number])[]>> = {
  office: [
    [0, 0.2],
    [6.5, 0.2],
    [7.5, 30],
    [8.5, 100],
    [9.5, 70],
    [11.25, 45],
    [12, 10],
    [13.25, 12],
    [14, 60],
    [16, 42],
    [17, 12],
    [18, 2],
    [20, 0.5],
  ],
  public: [
    [0, 4],
    [5, 2],
    [7, 20],
    [8.5, 100],
    [10, 70],
    [12, 40],
    [14, 60],
    [17, 40],
    [19, 50],
    [21, 45],
    [23, 12],
  ],
  commerce: [
    [0, 3],
    [6, 4],
    [8.5, 60],
    [10, 100],
    [12, 70],
    [15, 85],
    [18, 70],
    [20, 50],
    [22, 12],
    [23.75, 4],
  ],
  nightly: [
    [0, 80],
    [4.5, 80],
    [5.5, 5],
    [7.5, 5],
    [8.5, 25],
    [17, 15],
    [21, 10],
    [22, 100],
    [23.75, 100],
  ],
}

const runningTotals = new Map(
  (Object.keys(shapes) as ProfileName[]).map(name => {
    let sum = 0
    return [name, Array.from({ length: quartersADay }, (_, quarter) => (sum += loadAt(name, quarter)))] as const
  }),
)

/** Relative load of a quarter hour. */
export function loadAt(name: ProfileName, quarter: number): number {
  return interpolate(shapes[name], quarter / 4)
}

/** The quarter hour (0 … 95) that a draw (0 … 4294967295) falls into. */
export function drawQuarter(name: ProfileName, draw: number): number {
  const totals = runningTotals.get(name) ?? []
  const at = (draw / 0x1_0000_0000) * (totals.at(-1) ?? 0)
  return totals.findIndex(total => at < total)
}

/** `08:30` */
export function clockOf(quarter: number): string {
  return `${two(Math.floor(quarter / 4) % 24)}:${two((quarter % 4) * 15)}`
}

/** The time of day as clients write it into their keys, `HHmmssfff`. */
export function timeOfDay(quarter: number, msInQuarter: number): string {
  const seconds = Math.floor(msInQuarter / 1000)
  const minutes = (quarter % 4) * 15 + Math.floor(seconds / 60)
  return `${two(Math.floor(quarter / 4) % 24)}${two(minutes)}${two(seconds % 60)}${String(msInQuarter % 1000).padStart(3, '0')}`
}

const two = (value: number): string => String(value).padStart(2, '0')
