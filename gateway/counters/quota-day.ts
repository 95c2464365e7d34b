// The day a quota is counted in: a calendar day of Vietnam, UTC+7 all year.

const dayMs = 86_400_000
const offsetMs = 7 * 3_600_000

/** The day of a moment, `yyyy-mm-dd` in UTC+7. */
export const quotaDay = (nowMs: number): string => new Date(nowMs + offsetMs).toISOString().slice(0, 10)

/** Whole seconds, rounded up, until a day ends; 0 when it is over. */
export const secondsLeft = (day: string, nowMs: number): number =>
  Math.max(0, Math.ceil((Date.parse(day) - offsetMs + dayMs - nowMs) / 1000))
