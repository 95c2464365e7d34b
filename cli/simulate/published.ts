// The published figures of the real platform (2020 to 2024), and what of a simulation stands beside each. A figure of a day is
// compared with the simulated day at full scale; one of years tells how many such days it would take.
import { type Bilingual } from '#contracts/contract.ts'
import { isConnectedBody, isInformationSystem } from './bodies.ts'
import { type Row } from './books.ts'

/** Counts what was asked, by patterns of client and service, refusals included unless told otherwise. */
export interface Tally {
  questions(service: RegExp, client?: RegExp): number
  answered(service: RegExp, client?: RegExp): number
  clients(client: RegExp): number
  clientsThat(is: (client: string) => boolean): number
  providers: number
}

export interface PublishedFigure {
  title: Bilingual
  published: number
  /** standing: is there or not · day: each working day · total: since the platform opened */
  kind: 'standing' | 'day' | 'total'
  simulated(tally: Tally): number
}

const any = /./

export const publishedFigures: readonly PublishedFigure[] = [
  {
    title: { vi: 'Bộ, ngành, địa phương, doanh nghiệp kết nối', en: 'Bodies connected' },
    published: 98,
    kind: 'standing',
    simulated: tally => tally.clientsThat(isConnectedBody),
  },
  {
    title: { vi: 'Bộ, ngành', en: 'Ministries' },
    published: 18,
    kind: 'standing',
    simulated: tally => tally.clients(/^ministry-/),
  },
  {
    title: { vi: 'Địa phương', en: 'Localities' },
    published: 63,
    kind: 'standing',
    simulated: tally => tally.clients(/^one-stop-/),
  },
  {
    title: { vi: 'Doanh nghiệp nhà nước', en: 'State enterprises' },
    published: 4,
    kind: 'standing',
    simulated: tally => tally.clients(/^state-enterprise-/),
  },
  {
    title: { vi: 'Cơ sở dữ liệu', en: 'Databases' },
    published: 9,
    kind: 'standing',
    simulated: tally => tally.providers,
  },
  {
    title: { vi: 'Hệ thống thông tin', en: 'Information systems' },
    published: 14,
    kind: 'standing',
    simulated: tally => tally.clientsThat(isInformationSystem),
  },
  {
    title: { vi: 'Giao dịch mỗi ngày', en: 'Transactions a day' },
    published: 1_600_000,
    kind: 'day',
    simulated: tally => tally.questions(any),
  },
  {
    title: {
      vi: 'Lượt xác thực Cơ sở dữ liệu quốc gia về dân cư đã tiếp nhận',
      en: 'Verifications received by the population database',
    },
    published: 1_500_000_000,
    kind: 'total',
    simulated: tally => tally.questions(/^population\//),
  },
  {
    title: { vi: 'Người tham gia bảo hiểm được đối chiếu với dân cư', en: 'Insured people reconciled with population' },
    published: 91_000_000,
    kind: 'total',
    simulated: tally => tally.answered(/^population\//, /^social-insurance/),
  },
  {
    title: { vi: 'Đăng ký khai sinh', en: 'Birth registrations' },
    published: 45_000_000,
    kind: 'total',
    simulated: tally => tally.answered(/^civil-status\/birth-/),
  },
  {
    title: { vi: 'Trẻ em được cấp số định danh cá nhân', en: 'Children given a personal number' },
    published: 9_200_000,
    kind: 'total',
    simulated: tally => tally.answered(/^(population\/personal-id-issuance|civil-status\/birth-registration)$/),
  },
  {
    title: { vi: 'Cán bộ, công chức, viên chức được đồng bộ', en: 'Public employees synchronised' },
    published: 2_100_000,
    kind: 'total',
    simulated: tally => tally.answered(/^public-employees\//),
  },
  {
    title: { vi: 'Hồ sơ qua Cổng Dịch vụ công quốc gia', en: 'Files through the National Public Service Portal' },
    published: 46_000_000,
    kind: 'total',
    simulated: tally => tally.answered(any, /^public-service-portal$/),
  },
  {
    title: { vi: 'Người hưởng chính sách được chi trả qua tài khoản', en: 'Beneficiaries paid by account' },
    published: 1_000_000,
    kind: 'total',
    simulated: tally => tally.answered(/^labour\/benefit-account-verification$/),
  },
]

export function createTally(rows: readonly Row[]): Tally {
  const sum = (service: RegExp, client: RegExp, isCounted: (row: Row) => boolean): number =>
    rows.reduce(
      (total, row) =>
        service.test(row.service) && client.test(row.client) && isCounted(row) ? total + row.questions : total,
      0,
    )
  const clients = [...new Set(rows.map(({ client }) => client))]
  return {
    questions: (service, client = any) => sum(service, client, () => true),
    answered: (service, client = any) => sum(service, client, ({ outcome }) => outcome === 'answered'),
    clients: client => clients.filter(name => client.test(name)).length,
    clientsThat: is => clients.filter(is).length,
    providers: new Set(rows.filter(({ service }) => service !== '-').map(({ service }) => service.split('/')[0])).size,
  }
}
