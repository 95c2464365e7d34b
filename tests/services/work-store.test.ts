// The store of deferred work: what one process stored another takes up, also from a file of before its column was renamed. That the
// desk settles it once is tests/services/issuance.test.ts.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type Ticket } from '#services/adapter.ts'
import { createWorkStore, openRegister } from '#services/work-store.ts'
import { makeFolder } from '#tests/cli/ndx.ts'

test('takes up what a register stored when its requests were called registrations', () => {
  const folder = makeFolder()
  const file = join(folder, 'register.sqlite')
  const before = new DatabaseSync(file)
  before.exec(
    `CREATE TABLE work (exchange_id TEXT PRIMARY KEY, registration TEXT NOT NULL, ticket TEXT NOT NULL, due_ms INTEGER NOT NULL,
     settled_ms INTEGER, settlement TEXT) STRICT, WITHOUT ROWID;
     INSERT INTO work VALUES ('x1', '{"a":1}', '{"exchangeId":"x1"}', 100, NULL, NULL)`,
  )
  before.close()
  for (let times = 0; times < 2; times++) {
    const db = openRegister(file, '')
    const store = createWorkStore(db)
    expect([store.find('x1'), store.nextDueMs()]).toEqual(['open', 100])
    if (times === 1)
      expect(store.claim(100, 200, 1)).toEqual([{ exchangeId: 'x1', request: { a: 1 }, ticket: { exchangeId: 'x1' } }])
    db.close()
  }
  rmSync(folder, { recursive: true })
})

test('keeps an exchange’s first request, and what it came to', () => {
  const db = openRegister(':memory:', '')
  const store = createWorkStore(db)
  store.accept({ exchangeId: 'x1', request: { a: 1 }, ticket: {} as Ticket }, 10)
  store.accept({ exchangeId: 'x1', request: { a: 2 }, ticket: {} as Ticket }, 5)
  expect(store.claim(10, 20, 9)).toMatchObject([{ request: { a: 1 } }])
  store.finish('x1', { reply: { b: 1 } }, 30)
  store.finish('x1', { failure: 'late' }, 31)
  store.putBack('x1', 1)
  expect([store.find('x1'), store.find('x2'), store.nextDueMs(), store.claim(99, 100, 9)]).toEqual([
    { reply: { b: 1 } },
    undefined,
    undefined,
    [],
  ])
  db.close()
})
