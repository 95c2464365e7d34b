// Months as numbers, so that they can be counted: twelve a year from the year 0 on. Registers write them `yyyy-mm`.
import { daysOfMonth } from '#contracts/birth-date.ts'

/** year × 12 + month − 1 */
export type Month = number

/** Of `yyyy-mm-dd`, `yyyy-mm` or `yyyy`, which is taken for January. */
export const monthOf = (date: string): Month => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7) || 1) - 1

/** `yyyy-mm` */
export const monthText = (month: Month): string =>
  `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}`

/** `yyyy-mm-dd` */
export const firstDayOf = (month: Month): string => `${monthText(month)}-01`
export const lastDayOf = (month: Month): string =>
  `${monthText(month)}-${daysOfMonth(Math.floor(month / 12), (month % 12) + 1)}`
