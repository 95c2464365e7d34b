// Birth dates as registers hold them: a full date `yyyy-mm-dd`, or for some old people only the year `yyyy`.
// No clock is read: whether a date lies in the future is for whoever has one.

const yearMin = 1800
const yearMax = 2099
const monthDays = Object.freeze([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

/**
 * Whether the value is a date of the Gregorian calendar (`yyyy-mm-dd`) or a year (`yyyy`), from 1800 to 2099.
 * Source: field NgayThangNamSinh of the population service, QCVN 109:2017/BTTTT.
 */
export function isBirthDate(value: string): boolean {
  if (!/^\d{4}(?:-\d{2}-\d{2})?$/.test(value)) return false
  const year = yearOfBirthDate(value)
  if (year < yearMin || year > yearMax) return false
  if (value.length === 4) return true
  const month = Number(value.slice(5, 7))
  const day = Number(value.slice(8))
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month)
}

/** Year of a birth date; of a value that is none, NaN or nonsense. */
export function yearOfBirthDate(birthDate: string): number {
  return Number(birthDate.slice(0, 4))
}

/**
 * Whether two birth dates can be of one person: equal, or of one year when either knows only the year.
 * False when either is no birth date.
 */
export function agreesWithBirthDate(asked: string, known: string): boolean {
  if (!isBirthDate(asked) || !isBirthDate(known)) return false
  if (asked.length === 4 || known.length === 4) return yearOfBirthDate(asked) === yearOfBirthDate(known)
  return asked === known
}

/** Days of a month (1–12) of a year of the Gregorian calendar. */
export function daysOfMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 && isLeap ? 29 : (monthDays[month - 1] ?? 0)
}
