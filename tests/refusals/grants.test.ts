// Refusals by the agreement, 403: each names the grant, its legal basis and what to do, in both languages; dates and hours are
// the nation's (UTC+7), held to the millisecond at their borders.
import { afterAll, describe, expect, test } from 'vitest'
import { type Contract } from '#contracts/contract.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
const record = 'population/citizen-record'
const recordEnvelope = {
  purpose: 'social-insurance-enrolment',
  procedure: '1.002759',
  request: { personalId: '026701599619' },
}
const bankEnvelope = { ...goodEnvelope, purpose: 'customer-identification' }
const insuranceBasis = 'Luật Bảo hiểm xã hội 2024, Điều 18'
const bankBasis = 'Luật Phòng, chống rửa tiền 2022, Điều 9'

describe('what the agreement does not grant', async () => {
  const world = await startWorld()
  afterAll(() => world.stop())

  test('refuses a service that no grant names', async () => {
    expectProblem(await world.ask(record, recordEnvelope, { client: 'bank' }), 'NDX_SERVICE_NOT_GRANTED', {
      detail: 'The agreement of bank does not grant population/citizen-record.',
      agreement: 'bank',
      legalBasis: 'Luật Căn cước 2023, Điều 10; Nghị định 194/2025/NĐ-CP',
      remedy: { vi: 'Đề nghị bổ sung thoả thuận.', en: 'Have the agreement extended.' },
    })
  })

  test('refuses a purpose outside the grant', async () => {
    expectProblem(await world.ask(identity, bankEnvelope), 'NDX_PURPOSE_NOT_GRANTED', {
      detail: 'Granted purposes: social-insurance-enrolment, benefit-eligibility.',
      agreement: 'si-identity@1',
      legalBasis: insuranceBasis,
      remedy: {
        vi: 'Khai đúng mục đích đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
        en: 'Declare a granted purpose, or have the agreement extended.',
      },
    })
  })

  test.each([
    ['another procedure', '2.000821'],
    ['no procedure', undefined],
  ])('refuses %s where the grant names one', async (_, procedure) => {
    expectProblem(await world.ask(record, { ...recordEnvelope, procedure }), 'NDX_PROCEDURE_NOT_GRANTED', {
      detail: 'Granted procedures: 1.002759.',
      agreement: 'si-record@1',
      legalBasis: insuranceBasis,
      remedy: {
        vi: 'Khai mã thủ tục đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
        en: 'Declare a granted procedure, or have the agreement extended.',
      },
    })
  })

  test('refuses fields outside the grant and names those that the contract knows', async () => {
    const asked = { ...recordEnvelope, fields: ['fullName', 'ethnicity', 'shoeSize'] }
    expectProblem(await world.ask(record, asked), 'NDX_FIELD_NOT_GRANTED', {
      detail:
        'Not granted: ethnicity, a field unknown to the contract. Granted: found, fullName, dateOfBirth, sex, residence.',
      agreement: 'si-record@1',
      legalBasis: insuranceBasis,
      remedy: {
        vi: 'Chỉ yêu cầu các trường đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
        en: 'Ask for granted fields only, or have the agreement extended.',
      },
    })
  })

  test('sends nothing to the provider', () => {
    expect(world.published.filter(({ topic }) => topic.startsWith('ndx.request.'))).toEqual([])
  })
})

test('refuses a version of the service whose mode is not the grant’s', async () => {
  let first: Contract
  const world = await startWorld({
    silent: ['business-registration'],
    contracts: {
      'business-registration/enterprise-record.v1.json': contract => {
        first = contract
      },
      'business-registration/enterprise-record.v2.json': () => ({ ...first, version: '2.0.0', mode: 'match' }),
    },
    agreements: {
      'public-service-portal': ({ grants }) => {
        for (const grant of grants) if (grant.mode === 'disclose') grant.mode = 'match'
      },
    },
  })
  const envelope = { purpose: 'public-service-intake', request: { enterpriseCode: '2100584318' } }
  const options = { client: 'public-service-portal', headers: { 'ndx-service-version': '1' } }
  const older = await world.ask('business-registration/enterprise-record', envelope, options)
  expectProblem(older, 'NDX_MODE_NOT_GRANTED', {
    detail: 'The grant is for match; the service is disclose.',
    agreement: 'portal-enterprise@1',
    legalBasis: 'Nghị định 45/2020/NĐ-CP, Điều 10',
    remedy: { vi: 'Đề nghị bổ sung thoả thuận.', en: 'Have the agreement extended.' },
  })
  await world.stop()
})

describe('when the grant holds', async () => {
  let nowMs = Date.parse('2031-03-01T00:00:00Z')
  const world = await startWorld({
    now: () => nowMs,
    agreements: {
      bank: ({ grants }) => {
        for (const grant of grants) Object.assign(grant, { validFrom: '2031-03-03', validTo: '2031-03-31' })
      },
      'social-insurance': ({ grants }) => {
        const hours = { from: '08:00', to: '17:00', days: [1, 2, 3, 4, 5] }
        for (const grant of grants) Object.assign(grant, { validTo: '2032-12-31', hours })
      },
    },
  })
  afterAll(() => world.stop())
  const askAt = (local: string, client: 'bank' | 'social-insurance') => {
    nowMs = Date.parse(`${local}+07:00`)
    return world.ask(identity, client === 'bank' ? bankEnvelope : goodEnvelope, { client })
  }

  test('refuses until the first day begins in UTC+7, and answers from its first millisecond', async () => {
    expectProblem(await askAt('2031-03-02T23:59:59.999', 'bank'), 'NDX_GRANT_NOT_YET_VALID', {
      detail: 'The grant holds from 2031-03-03.',
      agreement: 'bank-identity@1',
      legalBasis: bankBasis,
      remedy: { vi: 'Gửi lại khi quyền truy cập có hiệu lực.', en: 'Ask again when the grant holds.' },
    })
    expect((await askAt('2031-03-03T00:00:00.000', 'bank')).status).toBe(200)
  })

  test('answers to the last millisecond of the last day, and refuses from the next', async () => {
    expect((await askAt('2031-03-31T23:59:59.999', 'bank')).status).toBe(200)
    expectProblem(await askAt('2031-04-01T00:00:00.000', 'bank'), 'NDX_GRANT_EXPIRED', {
      detail: 'The grant ended on 2031-03-31.',
      agreement: 'bank-identity@1',
      legalBasis: bankBasis,
      remedy: { vi: 'Đề nghị gia hạn thoả thuận.', en: 'Have the agreement renewed.' },
    })
  })

  test('refuses outside the hours and on other days', async () => {
    expectProblem(await askAt('2031-04-07T07:59:59.999', 'social-insurance'), 'NDX_GRANT_OUTSIDE_HOURS', {
      detail: 'The grant holds from 08:00 to 17:00 (UTC+7) on days 1, 2, 3, 4, 5 of the week.',
      agreement: 'si-identity@1',
      legalBasis: insuranceBasis,
      remedy: { vi: 'Gửi lại khi quyền truy cập có hiệu lực.', en: 'Ask again when the grant holds.' },
    })
    expect((await askAt('2031-04-07T08:00:00.000', 'social-insurance')).status).toBe(200)
    expect((await askAt('2031-04-07T16:59:59.999', 'social-insurance')).status).toBe(200)
    expect((await askAt('2031-04-07T17:00:00.000', 'social-insurance')).status).toBe(403)
    expect((await askAt('2031-04-12T10:00:00.000', 'social-insurance')).status).toBe(403)
  })
})
