// What the nation knows of its provinces, as data: how many are born there, where people move, who lives there. Round figures
// after the census of 2019 and the yearbook of 2022; good enough to look right, not for demographers.
import { provinces } from '#contracts/provinces.ts'
import { createLotteryOf, type Lottery } from '#nation/chance.ts'

/** Thousands of inhabitants, in the order of `provinces`; taken as weights of births. */
export const birthWeights: readonly number[] = Object.freeze([
  7800, 890, 543, 324, 806, 762, 635, 482, 1300, 847, 875, 1336, 802, 1363, 1891, 1517, 1197, 1400, 1947, 2088, 1290,
  1878, 878, 1876, 1011, 3722, 3416, 1323, 919, 651, 1160, 1150, 1519, 1245, 1504, 876, 1254, 598, 1252, 580, 1591,
  1919, 671, 1333, 1035, 1188, 2000, 2900, 1179, 8000, 1734, 1785, 1298, 1019, 1029, 1600, 1905, 1752, 1252, 729, 1198,
  922, 1208,
])

const northernMountains = 'Kinh 48, Tày 14, Thái 11, Mường 9, Mông 9, Dao 5, Nùng 4'
const peoplesByProvince: readonly (readonly [codes: string, peoples: string])[] = Object.freeze([
  ['002 004 006 008 010 020', 'Kinh 28, Tày 26, Nùng 18, Mông 14, Dao 14'],
  ['011 012 014', 'Kinh 19, Thái 46, Mông 26, Mường 5, Dao 4'],
  ['015', northernMountains],
  ['017', 'Kinh 27, Mường 64, Thái 5, Tày 3, Dao 1'],
  ['019 024 025 022', 'Kinh 87, Tày 6, Nùng 4, Dao 2, Mường 1'],
  ['038 040', 'Kinh 86, Thái 8, Mường 5, Mông 1'],
  ['058 060', 'Kinh 89, Chăm 9, Hoa 2'],
  ['062 064', 'Kinh 55, Gia Rai 28, Ba Na 14, Thái 3'],
  ['066 067', 'Kinh 68, Ê Đê 16, Nùng 6, Tày 5, Mông 5'],
  ['068', 'Kinh 77, Cơ Ho 14, Nùng 4, Tày 3, Hoa 2'],
  ['084 094', 'Kinh 67, Khmer 31, Hoa 2'],
  ['089 091 092 093 095 096', 'Kinh 93, Khmer 6, Hoa 1'],
  ['075 079', 'Kinh 94, Hoa 5, Khmer 0.5, Chăm 0.5'],
])
const elsewhere = createLotteryOf('Kinh 99, Tày 0.5, Mường 0.5')

/** A people by chance, for each position in `provinces`. */
export const ethnicities: readonly Lottery<string>[] = Object.freeze(
  provinces.map(({ code }) => {
    const peoples = peoplesByProvince.find(([codes]) => codes.includes(code))?.[1]
    return peoples === undefined ? elsewhere : createLotteryOf(peoples)
  }),
)

/** Of 100 adults (couples count once), how many live outside the province where they (the husband) were born. */
export const movedPercent = 14

/** Where they go: code of a current province, weight. */
export const destinations: Lottery<string> = createLotteryOf(
  '79 44, 01 19, 75 10, 24 7, 31 5, 48 4, 80 3, 92 2, 22 2, 19 1, 68 1, 66 1, 56 1',
)
