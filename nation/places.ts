// Where people and enterprises are today: the 34 provinces and cities since 1 July 2025, in two tiers, with 3,321 wards and
// communes. Provinces, their codes and numbers of wards are the real ones (how many are urban is rough); names and codes of wards
// are made up (codes start at 90001, above every real one), so no address is anybody's.
import { type Province, provinces } from '#contracts/provinces.ts'

export interface Ward {
  /** Five digits, 90001–93321: not a real ward's. */
  readonly code: string
  /** With its kind, e.g. `Phường Tân Phú`, `Xã Vĩnh Hòa`. */
  readonly name: string
}

export interface Place {
  /** Two-digit code and name of a province since July 2025. */
  readonly province: Province
  readonly ward: Ward
}

/** code|name|codes of the provinces it was made of|wards and communes|of which wards (urban). Resolution 202/2025/QH15, decision 19/2025/QĐ-TTg. */
const rows = `01|Hà Nội|001|126|51
04|Cao Bằng|004|56|3
08|Tuyên Quang|002 008|124|7
11|Điện Biên|011|45|3
12|Lai Châu|012|38|2
14|Sơn La|014|75|8
15|Lào Cai|010 015|99|10
19|Thái Nguyên|006 019|92|15
20|Lạng Sơn|020|65|4
22|Quảng Ninh|022|54|30
24|Bắc Ninh|024 027|99|33
25|Phú Thọ|017 025 026|148|15
31|Hải Phòng|030 031|114|45
33|Hưng Yên|033 034|104|11
37|Ninh Bình|035 036 037|129|32
38|Thanh Hóa|038|166|19
40|Nghệ An|040|130|11
42|Hà Tĩnh|042|69|9
44|Quảng Trị|044 045|78|8
46|Huế|046|40|21
48|Đà Nẵng|048 049|94|23
51|Quảng Ngãi|051 062|96|9
52|Gia Lai|052 064|135|25
56|Khánh Hòa|056 058|65|16
66|Đắk Lắk|054 066|102|14
68|Lâm Đồng|060 067 068|124|20
75|Đồng Nai|070 075|95|23
79|Hồ Chí Minh|074 077 079|168|113
80|Tây Ninh|072 080|96|14
82|Đồng Tháp|082 087|102|20
86|Vĩnh Long|083 084 086|124|19
91|An Giang|089 091|102|14
92|Cần Thơ|092 093 094|103|31
96|Cà Mau|095 096|64|9`
const firstSyllables =
  'Tân An Bình Phú Long Đông Thanh Vĩnh Minh Xuân Yên Quang Đại Phước Mỹ Trung Nam Bắc Tây Thới Hồng Ngọc Kim Cẩm'.split(
    ' ',
  )
const secondSyllables =
  'Hòa Lợi Thành Hưng Thạnh Sơn Lâm Giang Thủy Hải Khánh Định Ninh Điền Lộc Thịnh Nghĩa Tiến Đức Trạch Châu Hiệp Lập Quý'.split(
    ' ',
  )
const urbanKind = 'Phường'
const wardCodeBase = 90_001
/** Coprime to the number of pairs of syllables, so a province never has two wards of one name. */
const nameStride = 133

/** Wards of each current province; by code. */
const placesByProvince = new Map<string, readonly Place[]>()
const placesByWard = new Map<string, Place>()
/** For each position in `provinces`, the code of the current province it went into. */
export const currentProvinceCodes: readonly string[] = readRows()

/** All places of a current province, by its two-digit code: never empty. */
export function placesOf(provinceCode: string): readonly Place[] {
  const places = placesByProvince.get(provinceCode)
  if (places === undefined) throw new RangeError('no province has this code')
  return places
}

/** The place of a ward, by its five-digit code. */
export const findPlace = (wardCode: string): Place | undefined => placesByWard.get(wardCode)

/** Whether its ward is urban (phường), not a commune (xã). */
export const isUrban = ({ ward }: Place): boolean => ward.name.startsWith(urbanKind)

function readRows(): readonly string[] {
  const current = new Map<string, string>()
  let wardCode = wardCodeBase
  for (const row of rows.split('\n')) {
    const [code = '', name = '', absorbed = '', wards = '', urban = ''] = row.split('|')
    const province = Object.freeze({ code, name })
    for (const old of absorbed.split(' ')) current.set(old, code)
    const places = Array.from({ length: Number(wards) }, (_, at) =>
      Object.freeze({
        province,
        ward: Object.freeze({ code: String(wardCode + at), name: wardName(wardCode, at, at < Number(urban)) }),
      }),
    )
    for (const place of places) placesByWard.set(place.ward.code, place)
    wardCode += places.length
    placesByProvince.set(code, Object.freeze(places))
  }
  return Object.freeze(provinces.map(province => current.get(province.code) ?? ''))
}

function wardName(base: number, at: number, urban: boolean): string {
  const pair = (base + at * nameStride) % (firstSyllables.length * secondSyllables.length)
  const first = firstSyllables[pair % firstSyllables.length]
  const second = secondSyllables[Math.floor(pair / firstSyllables.length)]
  return `${urban ? urbanKind : 'Xã'} ${first} ${second}`
}
