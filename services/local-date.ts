// The day on which something happens in a register: the date in Vietnam.

const localOffsetMs = 7 * 3_600_000

/** `yyyy-mm-dd`, UTC+7. */
export const localDateOf = (ms: number): string => new Date(ms + localOffsetMs).toISOString().slice(0, 10)
