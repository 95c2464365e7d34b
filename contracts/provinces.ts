// The 63 provinces and cities under which births were registered until 2025, with the three-digit codes that open a
// personal number. The merger into 34 units (1 July 2025) changed where people live, not the numbers they have, so this
// table stays as it is.

export interface Province {
  /** Three digits, e.g. `001`. */
  readonly code: string
  /** Vietnamese name without its kind, e.g. `Hà Nội`. */
  readonly name: string
}

const lines = `
001 Hà Nội|002 Hà Giang|004 Cao Bằng|006 Bắc Kạn|008 Tuyên Quang|010 Lào Cai|011 Điện Biên|012 Lai Châu|014 Sơn La
015 Yên Bái|017 Hòa Bình|019 Thái Nguyên|020 Lạng Sơn|022 Quảng Ninh|024 Bắc Giang|025 Phú Thọ|026 Vĩnh Phúc|027 Bắc Ninh
030 Hải Dương|031 Hải Phòng|033 Hưng Yên|034 Thái Bình|035 Hà Nam|036 Nam Định|037 Ninh Bình|038 Thanh Hóa|040 Nghệ An
042 Hà Tĩnh|044 Quảng Bình|045 Quảng Trị|046 Thừa Thiên Huế|048 Đà Nẵng|049 Quảng Nam|051 Quảng Ngãi|052 Bình Định
054 Phú Yên|056 Khánh Hòa|058 Ninh Thuận|060 Bình Thuận|062 Kon Tum|064 Gia Lai|066 Đắk Lắk|067 Đắk Nông|068 Lâm Đồng
070 Bình Phước|072 Tây Ninh|074 Bình Dương|075 Đồng Nai|077 Bà Rịa - Vũng Tàu|079 Hồ Chí Minh|080 Long An
082 Tiền Giang|083 Bến Tre|084 Trà Vinh|086 Vĩnh Long|087 Đồng Tháp|089 An Giang|091 Kiên Giang|092 Cần Thơ|093 Hậu Giang
094 Sóc Trăng|095 Bạc Liêu|096 Cà Mau`

/**
 * All 63, frozen, in the order of their codes.
 * Source: circular 07/2016/TT-BCA, annex 1 (codes of provinces in the personal number).
 */
export const provinces: readonly Province[] = Object.freeze(
  lines
    .trim()
    .split(/[|\n]/)
    .map(line => Object.freeze({ code: line.slice(0, 3), name: line.slice(4) })),
)

/** Position of each province in `provinces` by the number its code spells; -1 where there is none. */
const positions = new Int8Array(1000).fill(-1)
provinces.forEach((province, position) => {
  positions[Number(province.code)] = position
})

/** Place in `provinces` of the province whose code spells `number` (0–999), or -1. */
export function provincePosition(number: number): number {
  return positions[number] ?? -1
}

/** The province with this code (three digits), or undefined. */
export function findProvince(code: string): Province | undefined {
  return /^\d{3}$/.test(code) ? provinces[provincePosition(Number(code))] : undefined
}
