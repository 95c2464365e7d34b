// What a gateway has in hand: full at the limit, and free again however it ends.
import { expect, test } from 'vitest'
import { createIntake } from '#gateway/exchange/intake.ts'

test('is full at its limit, and not one before', async () => {
  const intake = createIntake({ max: 2 })
  const [one, other] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  const first = intake.hold(one.promise)
  expect([intake.inHand, intake.isFull]).toEqual([1, false])
  const second = intake.hold(other.promise)
  expect([intake.inHand, intake.isFull]).toEqual([2, true])
  one.resolve('done')
  expect(await first).toBe('done')
  expect([intake.inHand, intake.isFull]).toEqual([1, false])
  other.reject(new Error('failed'))
  await expect(second).rejects.toThrow('failed')
  expect([intake.inHand, intake.isFull]).toEqual([0, false])
})
