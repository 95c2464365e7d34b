// The enterprises of the nation, computed like its people: index ↔ code in constant time, nothing stored. A code opens with
// the two digits of the tax department; its check digit is the simulated scheme's. The legal representative is a person of the
// nation who was an adult when the enterprise was registered.
import { type EnterpriseCode, formatEnterpriseCode, isEnterpriseCode } from '#contracts/enterprise-code.ts'
import { type PersonalId } from '#contracts/personal-id.ts'
import { type Province, provinces } from '#contracts/provinces.ts'
import { cellOf, female, lastBirthYear, male, seatOf } from '#nation/cells.ts'
import { type Chance, createChance, createLottery, createLotteryOf, mix, within } from '#nation/chance.ts'
import { birthWeights } from '#nation/demography.ts'
import { businessLines, taxDepartments } from '#nation/enterprise-data.ts'
import { createPermutation } from '#nation/permutation.ts'
import { type Lineage } from '#nation/person.ts'
import { currentProvinceCodes, type Place, placesOf } from '#nation/places.ts'

export type LegalForm = 'one-member-llc' | 'multi-member-llc' | 'joint-stock' | 'private-enterprise'
export type EnterpriseStatus = 'active' | 'suspended' | 'dissolved'

export interface BusinessLine {
  /** Four digits of the national classification (VSIC 2018). */
  readonly code: string
  readonly name: string
}

export interface Enterprise {
  /** 0 … 899,999. */
  readonly index: number
  readonly enterpriseCode: EnterpriseCode
  /** With its legal form, e.g. `Công ty TNHH Xây dựng An Phát`; not unique. */
  readonly name: string
  readonly legalForm: LegalForm
  readonly status: EnterpriseStatus
  /** `yyyy-mm-dd`, 2000 to 2025. */
  readonly registeredOn: string
  readonly address: Place
  /** Dong, in round millions. */
  readonly charterCapitalVnd: number
  readonly legalRepresentativeId: PersonalId
  /** The first is the main one; one to five. */
  readonly lines: readonly BusinessLine[]
}

export interface Enterprises {
  enterprise(index: number): Enterprise
  findEnterprise(enterpriseCode: string): Enterprise | undefined
}

export const enterpriseCount = 900_000

/** Serials of a department; fewer enterprises than this have any department. */
const serialSpan = 1_000_000
const departmentDigits = 10_000_000
const firstYear = 2000
const yearsOfDraw = lastBirthYear - firstYear + 1
const legalForms: ReadonlyMap<LegalForm, string> = new Map([
  ['one-member-llc', 'Công ty TNHH một thành viên'],
  ['multi-member-llc', 'Công ty TNHH'],
  ['joint-stock', 'Công ty cổ phần'],
  ['private-enterprise', 'Doanh nghiệp tư nhân'],
])
const drawLegalForm = createLottery<LegalForm>([
  ['one-member-llc', 45],
  ['multi-member-llc', 30],
  ['joint-stock', 20],
  ['private-enterprise', 5],
])
const drawStatus = createLottery<EnterpriseStatus>([
  ['active', 82],
  ['suspended', 9],
  ['dissolved', 9],
])
const drawCapitalMillions = createLottery([
  [100, 4],
  [300, 8],
  [500, 12],
  [1000, 18],
  [1900, 14],
  [3000, 12],
  [5000, 12],
  [9900, 8],
  [20_000, 7],
  [50_000, 3],
  [200_000, 1.5],
  [1_000_000, 0.5],
])
const drawFirstWord = createLotteryOf(
  'An 8, Đại 7, Hoàng 8, Minh 8, Thành 6, Việt 9, Tân 6, Nam 6, Phú 6, Kim 5, Hưng 5, Gia 5, Đức 4, Thiên 4, Bảo 4, Ngọc 4, Hải 5',
)
const drawSecondWord = createLotteryOf(
  'Phát 10, Thịnh 7, Long 7, Gia 5, Hưng 7, Anh 5, Tiến 6, Lộc 4, Nguyên 5, Khang 5, Phong 5, Sơn 5, Hà 4, Vượng 3, Tín 5, Đạt 5, Tâm 4',
)
const topics = {
  form: 40,
  status: 41,
  year: 42,
  day: 43,
  ward: 44,
  capital: 45,
  age: 46,
  sex: 47,
  rank: 48,
  line: 49,
  first: 60,
  second: 61,
} as const
const linesMax = 5
const representativeAgeMin = 22
const representativeAges = 34
/** Of 100 legal representatives. */
const femalePercent = 27

/** Business is denser in some provinces than people are. */
const density: ReadonlyMap<string, number> = new Map([
  ['001', 2.6],
  ['079', 3.4],
  ['048', 2.2],
  ['074', 1.9],
  ['075', 1.4],
  ['027', 1.4],
  ['031', 1.4],
  ['077', 1.2],
])
const usualDensity = 0.6

export function createEnterprises(seed: number, lineage: Lineage): Enterprises {
  const starts = countStarts()
  const indexes = createPermutation(mix(seed, 3), enterpriseCount)
  const serials = createPermutation(mix(seed, 4), serialSpan)
  const chance = createChance(mix(seed, 5))

  return {
    enterprise: index => {
      const position = indexes.forward(index)
      const province = starts.findLastIndex(start => start <= position)
      const serial = serials.forward(position - (starts[province] ?? 0), province)
      return describeEnterprise({ index, position, province, serial }, lineage, chance)
    },
    findEnterprise: enterpriseCode => {
      if (!isEnterpriseCode(enterpriseCode, 'simulated')) return undefined
      const body = Number(enterpriseCode.slice(0, 9))
      const province = taxDepartments.indexOf(enterpriseCode.slice(0, 2))
      const serial = body % departmentDigits
      if (province < 0 || serial >= serialSpan) return undefined
      const position = serials.backward(serial, province) + (starts[province] ?? 0)
      if (position >= (starts[province + 1] ?? enterpriseCount)) return undefined
      return describeEnterprise({ index: indexes.backward(position), position, province, serial }, lineage, chance)
    },
  }
}

/** Running totals of enterprises before each of `provinces`, and after the last. */
function countStarts(): Uint32Array {
  const weights = provinces.map(
    ({ code }: Province, at) => (birthWeights[at] ?? 0) * (density.get(code) ?? usualDensity),
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const starts = new Uint32Array(provinces.length)
  let sum = 0
  weights.forEach((weight, at) => {
    starts[at] = Math.round((sum / total) * enterpriseCount)
    sum += weight
  })
  return starts
}

interface Registration {
  index: number
  /** 0 … enterpriseCount − 1 in the order of provinces; what dice are thrown for. */
  position: number
  /** Place in `provinces`. */
  province: number
  serial: number
}

function describeEnterprise(
  { index, position, province, serial }: Registration,
  lineage: Lineage,
  chance: Chance,
): Enterprise {
  const legalForm = drawLegalForm(chance.draw(position, topics.form))
  const year = firstYear + Math.floor(yearsOfDraw * Math.sqrt(chance.draw(position, topics.year) / 0x1_0000_0000))
  const day = new Date(Date.UTC(year, 0, 1 + within(chance.draw(position, topics.day), 365)))
  const lines = linesOf(position, chance)
  const places = placesOf(currentProvinceCodes[province] ?? '')
  const words = `${drawFirstWord(chance.draw(position, topics.first))} ${drawSecondWord(chance.draw(position, topics.second))}`
  return Object.freeze({
    index,
    enterpriseCode: formatEnterpriseCode(Number(taxDepartments[province]) * departmentDigits + serial, 'simulated'),
    name: `${legalForms.get(legalForm)} ${lines[0]?.trade} ${words}`,
    legalForm,
    status: drawStatus(chance.draw(position, topics.status)),
    registeredOn: day.toISOString().slice(0, 10),
    address: places[within(chance.draw(position, topics.ward), places.length)] as Place,
    charterCapitalVnd: drawCapitalMillions(chance.draw(position, topics.capital)) * 1_000_000,
    legalRepresentativeId: representativeOf(position, province, year, lineage, chance),
    lines: Object.freeze(lines.map(({ line }) => line)),
  })
}

/** Different lines, by walking the table from a random one in a random stride; its length is prime. */
function linesOf(position: number, chance: Chance): (typeof businessLines)[number][] {
  const draw = chance.draw(position, topics.line)
  const first = draw % businessLines.length
  const stride = 1 + ((draw >>> 8) % (businessLines.length - 1))
  const count = 1 + ((draw >>> 24) % linesMax)
  return Array.from({ length: count }, (_, at) => businessLines[(first + at * stride) % businessLines.length]).filter(
    entry => entry !== undefined,
  )
}

function representativeOf(
  position: number,
  province: number,
  year: number,
  { cells, personalIdOf }: Lineage,
  chance: Chance,
): PersonalId {
  const age = representativeAgeMin + within(chance.draw(position, topics.age), representativeAges)
  const sex = within(chance.draw(position, topics.sex), 100) < femalePercent ? female : male
  const cell = cellOf(province, sex, year - age)
  return personalIdOf(seatOf(cell, within(chance.draw(position, topics.rank), cells.counts[cell] ?? 1)))
}
