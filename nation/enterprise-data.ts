// What the enterprises are drawn from, as data: the two digits of each province's tax department, and lines of business.
import { provinces } from '#contracts/provinces.ts'

/** Province code and first two digits of the tax codes its department gave out. */
const departments = `001 01|031 02|079 03|048 04|002 51|036 06|035 07|030 08|033 09|034 10|080 11|082 12|083 13|087 14|086 15|089 16|091 17|092 18
095 19|096 20|084 21|094 22|027 23|024 24|026 25|025 26|037 27|038 28|040 29|042 30|044 31|045 32|046 33|060 34|077 35|075 36|074 37|070 38|072 39
049 40|052 41|056 42|051 43|054 44|058 45|019 46|006 47|004 48|020 49|008 50|015 52|010 53|017 54|014 55|011 56|022 57|068 58|064 59|066 60|062 61
012 62|093 63|067 64`
const digitsByProvince = new Map(departments.split(/[|\n]/).map(pair => [pair.slice(0, 3), pair.slice(4)] as const))

/** For each position in `provinces`, the two digits; all different. */
export const taxDepartments: readonly string[] = Object.freeze(
  provinces.map(({ code }) => digitsByProvince.get(code) ?? ''),
)

/** code|name|how an enterprise of the line calls its trade. Names after decision 27/2018/QĐ-TTg (VSIC 2018). The count is prime. */
const lines = `0118|Trồng rau, đậu các loại và trồng hoa|Nông sản
0141|Chăn nuôi trâu, bò và sản xuất giống trâu, bò|Chăn nuôi
0322|Nuôi trồng thủy sản nội địa|Thủy sản
1020|Chế biến, bảo quản thủy sản và các sản phẩm từ thủy sản|Chế biến thủy sản
1061|Xay xát và sản xuất bột thô|Lương thực
1079|Sản xuất thực phẩm khác chưa được phân vào đâu|Thực phẩm
1410|May trang phục (trừ trang phục từ da lông thú)|May mặc
1520|Sản xuất giày, dép|Giày da
1622|Sản xuất đồ gỗ xây dựng|Đồ gỗ
1702|Sản xuất giấy nhăn, bìa nhăn, bao bì từ giấy và bìa|Bao bì
1811|In ấn|In ấn
2220|Sản xuất sản phẩm từ plastic|Nhựa
2395|Sản xuất bê tông và các sản phẩm từ bê tông, xi măng và thạch cao|Bê tông
2511|Sản xuất các cấu kiện kim loại|Cơ khí
2610|Sản xuất linh kiện điện tử|Điện tử
3100|Sản xuất giường, tủ, bàn, ghế|Nội thất
4101|Xây dựng nhà để ở|Xây dựng
4102|Xây dựng nhà không để ở|Xây dựng công nghiệp
4212|Xây dựng công trình đường bộ|Cầu đường
4321|Lắp đặt hệ thống điện|Điện
4330|Hoàn thiện công trình xây dựng|Trang trí
4511|Bán buôn ô tô và xe có động cơ khác|Ô tô
4620|Bán buôn nông, lâm sản nguyên liệu (trừ gỗ, tre, nứa) và động vật sống|Nông lâm sản
4632|Bán buôn thực phẩm|Thương mại thực phẩm
4641|Bán buôn vải, hàng may sẵn, giày dép|Thời trang
4649|Bán buôn đồ dùng khác cho gia đình|Thương mại
4651|Bán buôn máy vi tính, thiết bị ngoại vi và phần mềm|Tin học
4659|Bán buôn máy móc, thiết bị và phụ tùng máy khác|Thiết bị
4663|Bán buôn vật liệu, thiết bị lắp đặt khác trong xây dựng|Vật liệu xây dựng
4711|Bán lẻ lương thực, thực phẩm, đồ uống, thuốc lá, thuốc lào chiếm tỷ trọng lớn trong các cửa hàng kinh doanh tổng hợp|Bách hóa
4772|Bán lẻ thuốc, dụng cụ y tế, mỹ phẩm và vật phẩm vệ sinh trong các cửa hàng chuyên doanh|Dược phẩm
4933|Vận tải hàng hóa bằng đường bộ|Vận tải
5210|Kho bãi và lưu giữ hàng hóa|Kho vận
5510|Dịch vụ lưu trú ngắn ngày|Khách sạn
5610|Nhà hàng và các dịch vụ ăn uống phục vụ lưu động|Ẩm thực
6201|Lập trình máy vi tính|Phần mềm
6202|Tư vấn máy vi tính và quản trị hệ thống máy vi tính|Công nghệ
6810|Kinh doanh bất động sản, quyền sử dụng đất thuộc chủ sở hữu, chủ sử dụng hoặc đi thuê|Bất động sản
7020|Hoạt động tư vấn quản lý|Tư vấn
7110|Hoạt động kiến trúc và tư vấn kỹ thuật có liên quan|Kiến trúc
7310|Quảng cáo|Quảng cáo
7911|Đại lý du lịch|Du lịch
8559|Giáo dục khác chưa được phân vào đâu|Giáo dục`

/** 43 lines: a prime, so that any stride through them meets each once. */
export const businessLines = Object.freeze(
  lines.split('\n').map(row => {
    const [code = '', name = '', trade = ''] = row.split('|')
    return Object.freeze({ line: Object.freeze({ code, name }), trade })
  }),
)
