// The day a register dates its papers by.

/** UTC+7 all year. */
const localOffsetMs = 7 * 3_600_000

/** The date in Vietnam, `yyyy-mm-dd`. */
export const localDateOf = (ms: number): string => new Date(ms + localOffsetMs).toISOString().slice(0, 10)
