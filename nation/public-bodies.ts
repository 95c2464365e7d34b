// The bodies that employ public employees, as data: ministries and agencies of the government, and the 34 provinces. Codes after
// decision 20/2020/QĐ-TTg; a province of July 2025 goes by the code of the one whose name it kept. The army's and the police's
// people are in registers of their own.
import { createLottery, type Lottery } from '#nation/chance.ts'

export interface PublicBody {
  /** E.g. `G09`, `H26`. */
  readonly code: string
  readonly name: string
}

/** code|name|share of those who work for the centre, in percent. */
const central = `G02|Bộ Công Thương|5
G03|Bộ Giáo dục và Đào tạo|14
G04|Bộ Giao thông vận tải|5
G05|Bộ Kế hoạch và Đầu tư|4
G06|Bộ Khoa học và Công nghệ|2
G07|Bộ Lao động - Thương binh và Xã hội|4
G08|Bộ Ngoại giao|2
G09|Bộ Nội vụ|2
G10|Bộ Nông nghiệp và Phát triển nông thôn|6
G12|Bộ Tài chính|25
G13|Bộ Tài nguyên và Môi trường|5
G14|Bộ Thông tin và Truyền thông|2
G15|Bộ Tư pháp|5
G16|Bộ Văn hóa, Thể thao và Du lịch|4
G17|Bộ Xây dựng|3
G18|Bộ Y tế|5
G19|Ngân hàng Nhà nước Việt Nam|3
G20|Thanh tra Chính phủ|1.5
G21|Ủy ban Dân tộc|1.5
G22|Văn phòng Chính phủ|1`
/** Code of a current province, and its body's. */
const local = `01 H26|04 H14|08 H60|11 H18|12 H35|14 H52|15 H38|19 H55|20 H37|22 H49|24 H05|25 H44|31 H24|33 H31|37 H42|38 H56|40 H41
42 H27|44 H50|46 H57|48 H17|51 H48|52 H21|56 H32|66 H15|68 H36|75 H19|79 H29|80 H53|82 H20|86 H61|91 H01|92 H13|96 H12`

/** A central body by chance. */
export const drawCentralBody: Lottery<PublicBody> = createLottery(
  central.split('\n').map(row => {
    const [code = '', name = '', share = ''] = row.split('|')
    return [Object.freeze({ code, name }), Number(share)] as const
  }),
)

/** The code of the body that governs a current province, by the province's two-digit code. */
export const localBodyCodes: ReadonlyMap<string, string> = new Map(
  local.split(/[|\n]/).map(pair => [pair.slice(0, 2), pair.slice(3)] as const),
)

/** All 54. */
export const publicBodyCodes: readonly string[] = Object.freeze([
  ...central.split('\n').map(row => row.slice(0, 3)),
  ...localBodyCodes.values(),
])
