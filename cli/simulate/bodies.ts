// How the connected bodies behave: which share of a day's questions is theirs, when they ask, and how they write. By the name of
// the client; one that no line names behaves like the last line. The shares are the simulation's, not published figures.
import { type Agreement, type Bilingual } from '#contracts/contract.ts'
import { type ProfileName } from './day-profile.ts'

export interface Body {
  id: string
  title: Bilingual
  /** Per cent of the day's questions, of all its clients together. */
  share: number
  profile: ProfileName
  /** Per cent of names written in capitals without diacritics, and of dates cut to the year. */
  capitals: number
  yearOnly: number
  /** What their Idempotency-Keys are made of, and per cent of questions that have one. */
  keys: 'time-of-day' | 'random'
  keyed: number
  /** How many officers ask; 0: a machine. */
  officers: number
  /** Two of them misuse their right to ask. */
  hasAbuse?: true
  /** Not among the published 98: hospitals and notaries came by bodies that are, registers are counted as databases. */
  isUncounted?: true
}

interface Line extends Body {
  is: RegExp
  /** Clients with so many times the weight of the others. */
  heavier?: readonly [RegExp, number]
}

const lines: readonly Line[] = [
  {
    id: 'ministries',
    title: { vi: 'Bộ, ngành', en: 'Ministries' },
    is: /^ministry-/,
    share: 8,
    profile: 'office',
    capitals: 20,
    yearOnly: 3,
    keys: 'random',
    keyed: 10,
    officers: 12,
  },
  {
    id: 'localities',
    title: { vi: 'Một cửa 63 địa phương', en: 'One-stop systems of localities' },
    is: /^one-stop-/,
    heavier: [/-(ha-noi|ho-chi-minh)$/, 5],
    share: 26,
    profile: 'office',
    capitals: 35,
    yearOnly: 6,
    keys: 'time-of-day',
    keyed: 10,
    officers: 30,
    hasAbuse: true,
  },
  {
    id: 'state-enterprises',
    title: { vi: 'Doanh nghiệp nhà nước', en: 'State enterprises' },
    is: /^state-enterprise-/,
    share: 3,
    profile: 'commerce',
    capitals: 60,
    yearOnly: 0,
    keys: 'random',
    keyed: 5,
    officers: 0,
  },
  {
    id: 'portals',
    title: { vi: 'Cổng và ứng dụng cho người dân', en: 'Portals and applications for the public' },
    is: /^(public-service-portal|vneid|e-tax)$/,
    share: 24,
    profile: 'public',
    capitals: 10,
    yearOnly: 1,
    keys: 'random',
    keyed: 10,
    officers: 0,
  },
  {
    id: 'social-insurance',
    title: { vi: 'Bảo hiểm xã hội', en: 'Social insurance' },
    is: /^social-insurance/,
    share: 16,
    profile: 'nightly',
    capitals: 90,
    yearOnly: 5,
    keys: 'time-of-day',
    keyed: 5,
    officers: 2000,
  },
  {
    id: 'operators',
    title: { vi: 'Nhà mạng di động', en: 'Mobile operators' },
    is: /^mobile-operator/,
    share: 14,
    profile: 'commerce',
    capitals: 70,
    yearOnly: 2,
    keys: 'time-of-day',
    keyed: 5,
    officers: 0,
  },
  {
    id: 'finance',
    title: { vi: 'Ngân hàng, Mobile Money', en: 'Banks and Mobile Money' },
    is: /^(bank|mobile-money)/,
    share: 7,
    profile: 'commerce',
    capitals: 80,
    yearOnly: 0,
    keys: 'random',
    keyed: 15,
    officers: 0,
  },
  {
    id: 'government',
    title: { vi: 'Chính phủ và giám sát', en: 'Government and monitoring' },
    is: /^(government-|emc-)/,
    share: 1,
    profile: 'office',
    capitals: 0,
    yearOnly: 0,
    keys: 'random',
    keyed: 0,
    officers: 0,
  },
  {
    id: 'hospitals',
    title: { vi: 'Bệnh viện, tổ chức hành nghề công chứng', en: 'Hospitals and notaries' },
    is: /^(hospital|notary)$/,
    share: 1,
    profile: 'office',
    capitals: 60,
    yearOnly: 4,
    keys: 'time-of-day',
    keyed: 5,
    officers: 40,
    isUncounted: true,
  },
  {
    id: 'registers',
    title: { vi: 'Cơ sở dữ liệu hỏi lẫn nhau', en: 'Registers that ask each other' },
    is: /^(civil-status|home-affairs)$/,
    share: 1,
    profile: 'office',
    capitals: 0,
    yearOnly: 0,
    keys: 'random',
    keyed: 10,
    officers: 0,
    isUncounted: true,
  },
  {
    id: 'others',
    title: { vi: 'Đơn vị khác', en: 'Other bodies' },
    is: /./,
    share: 1,
    profile: 'office',
    capitals: 20,
    yearOnly: 2,
    keys: 'random',
    keyed: 5,
    officers: 5,
  },
]

export const bodies: readonly Body[] = lines

export function bodyOf({ client }: Pick<Agreement, 'client'>): Body {
  return lineOf(client)
}

/** Each client's part of the day, in the same order; only their ratio matters. */
export function sharesOf(clients: readonly string[]): number[] {
  const totals = new Map<string, number>()
  for (const client of clients) {
    const { id } = lineOf(client)
    totals.set(id, (totals.get(id) ?? 0) + weightOf(client))
  }
  return clients.map(client => {
    const { id, share } = lineOf(client)
    return (share * weightOf(client)) / (totals.get(id) ?? 1)
  })
}

const lineOf = (client: string): Line => lines.find(({ is }) => is.test(client)) as Line

function weightOf(client: string): number {
  const [heavy, weight] = lineOf(client).heavier ?? []
  return heavy?.test(client) ? (weight ?? 1) : 1
}

/** One of the published 98 bodies. */
export const isConnectedBody = (client: string): boolean => lineOf(client).isUncounted !== true

/** One of the published 14: a system that asks for itself, and the customer system of one state enterprise. */
export const isInformationSystem = (client: string): boolean =>
  client === 'state-enterprise-electricity' ||
  (isConnectedBody(client) && !/^(ministry-|one-stop-|state-enterprise-)/.test(client))
