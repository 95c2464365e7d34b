// The day a quota is counted in: a calendar day of Vietnam, UTC+7 all year.

const dayMs = 86_400_000
const offsetMs = 7 * 3_600_000

/** The last day asked for: nearly every moment is of the same one. */
let last = { number: Number.NaN, day: '' }

/** The day of a moment, `yyyy-mm-dd` in UTC+7. */
export function quotaDay(nowMs: number): string {
  const number = Math.floor((nowMs + offsetMs) / dayMs)
  if (number !== last.number) last = { number, day: new Date(number * dayMs).toISOString().slice(0, 10) }
  return last.day
}

/** Whole seconds, rounded up, until a day ends; 0 when it is over. */
export const secondsLeft = (day: string, nowMs: number): number =>
  Math.max(0, Math.ceil((Date.parse(day) - offsetMs + dayMs - nowMs) / 1000))
