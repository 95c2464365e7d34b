// Comparing NDX with others: ratios round by round, and what makes a peer's answer whole, a target costly, a table readable.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAnswerWhole } from '../../bench/connection.ts'
import { digits, renderTable, withRange } from '../../bench/markdown.ts'
import { nestjsDir, springDir } from '../../bench/peer-build.ts'
import { createQuestionPool, createQuestions, exampleEnvelope } from '../../bench/questions.ts'
import { compare, renderRatios } from '../../bench/ratios.ts'
import { renderTables, summarize } from '../../bench/report.ts'
import { type Target } from '../../bench/target.ts'
import { isCostly, planRound } from '../../bench/turns.ts'
import { type Row } from '../../bench/window.ts'

const row = (target: string, round: number, perSecond: number, more: Partial<Row> = {}): Row => ({
  target,
  round,
  load: '64 at once',
  statuses: { 200: perSecond },
  codes: {},
  answered: perSecond,
  wrong: 0,
  perSecond,
  p50Ms: 10,
  p95Ms: 20,
  p99Ms: 30,
  maxMs: 40,
  cpuUs: { gateway: 200, adapter: 50, generator: 40 },
  gatewayMemoryMb: 100,
  records: {},
  faults: [],
  othersShare: 0,
  speed: 1000,
  fromMs: 0,
  toMs: 1000,
  ...more,
})

describe('ratios', () => {
  it('divide NDX by the other round by round and take the median of that', () => {
    const rows = [
      ...[row('NDX', 1, 4000), row('slow', 1, 1000)],
      ...[row('NDX', 2, 3000), row('slow', 2, 1000)],
      ...[row('NDX', 3, 5000), row('slow', 3, 2000, { cpuUs: { gateway: 400, broker: 100 } })],
    ]
    const [ratios] = compare(rows, 'NDX')
    expect(ratios).toMatchObject({ load: '64 at once', against: 'slow', rounds: 3 })
    expect(ratios?.perSecond).toEqual({ median: 3, min: 2.5, max: 4 })
    expect(ratios?.gatewayCpu).toEqual({ median: 1, min: 0.5, max: 1 })
    expect(ratios?.cpuSum).toEqual({ median: 1, min: 0.5, max: 1 })
  })

  it('leave out rounds in which either row is void or was disturbed', () => {
    const rows = [
      ...[row('NDX', 1, 4000), row('slow', 1, 1000, { faults: ['1 wrong answers'] })],
      ...[row('NDX', 2, 4000, { othersShare: 0.5 }), row('slow', 2, 1000)],
      ...[row('NDX', 3, 4000), row('slow', 3, 2000)],
    ]
    const [ratios] = compare(rows, 'NDX')
    expect(ratios?.rounds).toBe(1)
    expect(ratios?.perSecond?.median).toBe(2)
  })

  it('take disturbed rounds where there are no others, and keep loads together', () => {
    const disturbed = { othersShare: 0.5 }
    const rows = ['16 at once', '64 at once'].flatMap(load =>
      ['NDX', 'b', 'a'].map(target => row(target, 1, target === 'NDX' ? 3000 : 1000, { ...disturbed, load })),
    )
    const ratios = compare(
      rows.toSorted((one, other) => one.target.localeCompare(other.target)),
      'NDX',
    )
    expect(ratios.map(({ load, against }) => `${against}, ${load}`)).toEqual([
      'a, 16 at once',
      'b, 16 at once',
      'a, 64 at once',
      'b, 64 at once',
    ])
    expect(ratios.map(({ perSecond }) => perSecond?.median)).toEqual([3, 3, 3, 3])
  })

  it('are unknown, not zero, without a pair or a figure', () => {
    const [ratios] = compare([row('slow', 1, 1000)], 'NDX')
    expect(ratios).toMatchObject({ rounds: 0, perSecond: undefined })
    const [mine] = compare([row('NDX', 1, 1000), row('slow', 1, 1000, { cpuUs: {}, p99Ms: undefined })], 'NDX')
    expect([mine?.gatewayCpu, mine?.p99]).toEqual([undefined, undefined])
    expect(renderRatios(ratios === undefined ? [] : [ratios], 'NDX')).toContain('–')
  })
})

describe('tables', () => {
  it('are Markdown that is aligned', () => {
    expect(
      renderTable([
        ['name', 'a'],
        ['x', '1.00'],
      ]),
    ).toBe(['| name |    a |', '| ---- | ---: |', '| x    | 1.00 |'].join('\n'))
  })

  it('say the range only where there is one', () => {
    expect(withRange({ median: 2, min: 2, max: 2 })).toBe('2.00')
    expect(withRange({ median: 2.5, min: 1, max: 1234 })).toBe('2.50 [1.00–1,234]')
    expect(withRange(undefined)).toBe('–')
    expect([99.96, 99.4, 9.996, 0.004].map(digits)).toEqual(['100', '99.4', '10.00', '0.00'])
  })

  it('have a line for each target and say when rows are void', () => {
    const text = renderTables(summarize([row('NDX', 1, 4000), row('slow', 1, 1000, { faults: ['no answers'] })]))
    expect(text).toContain('### 64 at once')
    expect(text).toMatch(/\| NDX +\| +4,000 \|/)
    expect(text).toContain('VOID 1 of 1')
  })
})

describe('turns', () => {
  const targets = ['a', 'b'].map(name => ({ name }) as Target)
  const loads = [
    { kind: 'closed', concurrent: 16 },
    { kind: 'closed', concurrent: 64 },
  ] as const
  const order = (stopped: string[]): string[] =>
    planRound(targets, loads, new Set(stopped)).flatMap(({ target, loads: own }) =>
      own.map(load => `${target.name}${(load as { concurrent: number }).concurrent}`),
    )

  it('go by load while everybody stays, and by target when one is started for its turn', () => {
    expect(order([])).toEqual(['a16', 'b16', 'a64', 'b64'])
    expect(order(['b'])).toEqual(['a16', 'a64', 'b16', 'b64'])
  })

  it('are for those whose idle process takes more than a fiftieth of a core', () => {
    expect(isCostly({ gateway: 0.02, adapter: 0 })).toBe(false)
    expect(isCostly({ gateway: 0, adapter: 0.021 })).toBe(true)
    expect(isCostly({})).toBe(false)
  })
})

describe('an answer', () => {
  const whole = (text: string): boolean | undefined => isAnswerWhole(text, text.indexOf('\r\n\r\n') + 4)

  it('is whole when as much has come as its head says', () => {
    expect(whole('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')).toBe(true)
    expect(whole('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}')).toBe(false)
  })

  it('is whole when its last chunk has come', () => {
    const head = 'HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const part of ['', '2', '2\r\n{', '2\r\n{}\r\n', '2\r\n{}\r\n0\r\n']) expect(whole(head + part)).toBe(false)
    expect(whole(`${head}2\r\n{}\r\n0\r\n\r\n`)).toBe(true)
    expect(whole(`${head}1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`)).toBe(true)
  })

  it('that does not say how long it is cannot be told', () => {
    expect(whole('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}')).toBeUndefined()
  })
})

describe('questions', () => {
  it('say what a right answer holds, about people and about enterprises', () => {
    const pool = createQuestionPool()
    const expectedOf = (about: 'identity' | 'enterprise', count: number): Set<string> => {
      const questions = createQuestions(pool, 'token', about)
      return new Set(Array.from({ length: count }, () => questions.next().expected.replace(/\d{10}/, '…')))
    }
    expect(expectedOf('identity', 100)).toEqual(new Set(['"matched":true', '"matched":false']))
    expect(expectedOf('enterprise', 100)).toEqual(new Set(['"found":true,"enterpriseCode":"…"']))
    expect(pool.bodies[0]).toBe(JSON.stringify(exampleEnvelope()))
  })
})

describe('the peers', () => {
  const lockOf = (folder: string): { packages: Record<string, { version?: string; resolved?: string }> } =>
    JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))

  it('pin every version, name no place to fetch from, and are none of the project’s packages', () => {
    const manifest = JSON.parse(readFileSync(join(nestjsDir, 'package.json'), 'utf8'))
    const pinned = { ...manifest.dependencies, ...manifest.devDependencies }
    for (const version of Object.values(pinned)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    const { packages } = lockOf(nestjsDir)
    for (const [name, version] of Object.entries(pinned))
      expect(packages[`node_modules/${name}`]?.version).toBe(version)
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
    const own = readFileSync(join(nestjsDir, '../../../package.json'), 'utf8')
    expect(own).not.toContain('@nestjs')
  })

  it('talk to Kafka with the version of kafkajs that NDX has', () => {
    const versionIn = (file: string): string => JSON.parse(readFileSync(file, 'utf8')).dependencies.kafkajs
    expect(versionIn(join(nestjsDir, 'package.json'))).toBe(versionIn(join(nestjsDir, '../../../package.json')))
    expect(existsSync(join(springDir, 'pom.xml'))).toBe(true)
  })
})
