// Names people of the nation have: family name by people, middle and given names by sex and time of birth. Frequencies of family
// names after published counts (Nguyễn 38 of 100); the rest is judgement. Data and dice only: who inherits what is in person.ts.
import { type Sex } from '#contracts/personal-id.ts'
import { type Chance, createLotteryOf, type Lottery, within } from '#nation/chance.ts'

const familyNames: ReadonlyMap<string, Lottery<string>> = new Map(
  Object.entries({
    Kinh: `Nguyễn 38.4, Trần 11, Lê 9.5, Phạm 7.1, Huỳnh 3.1, Hoàng 2.6, Phan 4.5, Vũ 2.4, Võ 2, Đặng 2.1, Bùi 2, Đỗ 1.4, Hồ 1.3, Ngô 1.3,
      Dương 1, Lý 0.5, Đinh 1, Đoàn 0.9, Trương 1.5, Mai 0.8, Trịnh 0.8, Lương 0.7, Đào 0.8, Cao 0.7, Tạ 0.4, Lưu 0.4, Hà 0.5, Tô 0.3, Châu 0.3,
      Thái 0.3, Phùng 0.3, Chu 0.3, Quách 0.2, Kiều 0.2, Nghiêm 0.15, Tống 0.2, Lâm 0.4, Văn 0.15, Tôn 0.1, Khổng 0.1`,
    Tày: 'Hoàng 18, Nông 17, Nguyễn 13, Lý 6, Lương 6, Hà 6, Ma 7, Triệu 5, Đàm 4, Bế 3, Vi 3, La 3, Lục 2, Chu 3, Mông 2, Quan 2',
    Thái: 'Lò 28, Quàng 11, Cà 8, Lường 12, Tòng 8, Hà 7, Vi 8, Cầm 5, Điêu 3, Lê 3, Lương 4, Hoàng 3',
    Mường: 'Bùi 38, Đinh 14, Quách 9, Hà 9, Nguyễn 9, Phạm 6, Bạch 5, Trương 5, Cao 3, Xa 2',
    Mông: 'Giàng 16, Sùng 14, Vàng 14, Thào 14, Lý 8, Mùa 5, Hạng 6, Vừ 6, Lầu 6, Cháng 4, Ly 4, Má 3',
    Dao: 'Triệu 22, Bàn 17, Đặng 16, Phùng 11, Lý 11, Chảo 8, Tẩn 8, Phàn 7',
    Nùng: 'Nông 22, Hoàng 18, Lương 8, Lý 7, Vi 6, Long 5, Lục 5, Hứa 6, Lâm 5, Chu 5, Nguyễn 8, Triệu 5',
    Khmer: 'Thạch 24, Sơn 15, Kim 12, Danh 14, Lâm 8, Trần 7, Châu 6, Lý 5, Kiên 5, Diệp 4',
    Hoa: 'Trần 14, Lý 11, Lâm 10, Huỳnh 9, Ngô 7, Vương 7, Trương 7, Quách 6, La 4, Tăng 5, Lưu 6, Thái 5, Mã 3, Tô 4, Ong 2',
    Chăm: 'Thạch 4, Đàng 12, Bá 12, Quảng 10, Thiên 9, Thành 8, Não 6, Kiều 8, Lưu 8, Trượng 6, Nguyễn 9',
    'Gia Rai': 'Rơ Mah 22, Siu 20, Ksor 20, Kpă 12, Rah Lan 10, Nay 9, Rơ Châm 8',
    'Ê Đê': 'Niê 32, Mlô 16, Êban 13, Ayŭn 9, Kbuôr 9, Ktla 7, Hwing 6, Byă 8',
    'Ba Na': 'Đinh 60, A 12, Y 6, Nguyễn 8, Siu 8, Rơ Châm 6',
    'Cơ Ho': 'K 15, Cil 18, Kơ Să 16, Liêng Hót 14, Đa Cát 10, Rơ Ông 12, Bon Niêng 8',
  }).map(([people, names]) => [people, createLotteryOf(names)]),
)

/** By sex, then time of birth: before and after the turn that `modernShare` describes. */
const middleNames = {
  male: [
    createLotteryOf('Văn 60, Đình 6, Xuân 5, Ngọc 4, Đức 4, Hữu 6, Quang 3, Công 3, Minh 2, Thanh 3, Trọng 2, Bá 2'),
    createLotteryOf(
      'Minh 14, Đức 10, Quang 9, Gia 8, Anh 7, Văn 12, Hoàng 7, Hữu 5, Tuấn 5, Quốc 6, Thanh 5, Ngọc 5, Xuân 3, Thành 4',
    ),
  ],
  female: [
    createLotteryOf('Thị 92, Ngọc 3, Thanh 2, Kim 2, Diệu 1'),
    createLotteryOf('Thị 26, Ngọc 14, Thanh 8, Phương 8, Thu 7, Bảo 8, Khánh 6, Minh 6, Quỳnh 5, Hoài 4, Kim 4, Mai 4'),
  ],
} as const
const givenNames = {
  male: [
    createLotteryOf(`Hùng 8, Dũng 6, Thành 5, Tuấn 5, Minh 4, Hải 5, Bình 5, Sơn 5, Long 3, Hòa 4, Thắng 4, Cường 5, Đức 3, Tâm 3, Phúc 3, Hiền 2,
      Lâm 3, Quang 3, Khánh 2, Lợi 2, Toàn 2, Tài 2, Vinh 2, An 2, Chiến 3, Bảy 2, Năm 1, Tư 1, Mạnh 2, Nam 3`),
    createLotteryOf(`Huy 8, Khang 6, Bảo 6, Minh 8, Anh 7, Khôi 5, Phúc 5, Nam 5, Đạt 5, Kiệt 4, Long 5, Quân 4, Thịnh 3, Khoa 4, Phong 4, Tùng 3,
      Hoàng 4, Duy 3, Việt 3, Lộc 2, Nghĩa 2, Trí 2, Thiên 3, An 3`),
  ],
  female: [
    createLotteryOf(`Lan 7, Hoa 7, Hương 6, Hồng 5, Mai 5, Liên 4, Nga 4, Thủy 5, Hằng 4, Hà 4, Loan 4, Phượng 3, Tuyết 4, Thu 3, Xuân 3, Dung 4,
      Oanh 3, Bích 3, Hạnh 4, Yến 3, Nguyệt 3, Sáu 2, Út 1, Thơm 2, Cúc 3, Huệ 3, Lý 2, Hoài 2`),
    createLotteryOf(`Anh 10, Linh 8, Ngọc 6, Trang 6, Thảo 6, Vy 6, Nhi 6, Hân 5, My 4, Châu 4, Hà 3, Như 4, Trâm 4, Chi 4, Ngân 4, Thư 4, Quỳnh 3,
      Uyên 3, Yến 2, Giang 3, Mai 3, An 3, Diệp 2`),
  ],
} as const
/** A second given name, ever more usual: Nguyễn Thị *Minh* Anh. */
const innerNames = {
  male: createLotteryOf(
    'Minh 6, Thanh 4, Hoàng 5, Gia 5, Bảo 4, Đức 4, Quang 4, Khánh 3, Xuân 3, Thành 4, Anh 4, Hữu 3, Nhật 3, Trung 3',
  ),
  female: createLotteryOf(
    'Minh 4, Ngọc 6, Thanh 5, Thu 4, Phương 5, Kim 4, Hồng 4, Bảo 4, Khánh 4, Thùy 4, Hoài 3, Diệu 3, Quỳnh 3, Tường 2',
  ),
} as const

/** The share of modern names grows from none before 1950 to nearly all after 2010. */
const turnBegins = 1950
const turnYears = 60
const modernShareMax = 0.95
const topics = { family: 1, middle: 2, middleStyle: 3, given: 4, givenStyle: 5, inner: 6, innerStyle: 7 } as const

/** The family name of someone whose father is not in the registry; `position` is where the line begins. */
export function drawFamilyName(chance: Chance, position: number, people: string): string {
  return familyNames.get(people)?.(chance.draw(position, topics.family)) ?? 'Nguyễn'
}

/** Middle and given names, e.g. `Thị Lan`, `Minh Khôi`, `Thị Ngọc Hân`. */
export function drawGivenNames(chance: Chance, position: number, sex: Sex, birthYear: number): string {
  const modern = Math.min(Math.max((birthYear - turnBegins) / turnYears, 0), modernShareMax)
  const style = (topic: number): 0 | 1 => (within(chance.draw(position, topic), 1000) < modern * 1000 ? 1 : 0)
  const middle = middleNames[sex][style(topics.middleStyle)](chance.draw(position, topics.middle))
  const given = givenNames[sex][style(topics.givenStyle)](chance.draw(position, topics.given))
  const hasInner =
    within(chance.draw(position, topics.innerStyle), 1000) < (sex === 'female' ? 100 + modern * 350 : modern * 120)
  const inner = hasInner ? innerNames[sex](chance.draw(position, topics.inner)) : given
  return inner === given || inner === middle ? `${middle} ${given}` : `${middle} ${inner} ${given}`
}
