// Strict JSON: what JSON.parse accepts and we accept are the same values; what it forgives we refuse.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { depthMax, parseStrictJson, StrictJsonError } from '#contracts/strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))
const reasonOf = (text: string | Buffer): string => {
  try {
    parseStrictJson(Buffer.from(text as string))
  } catch (error) {
    if (error instanceof StrictJsonError) return error.message
    throw error
  }
  return 'accepted'
}
const twice = 'an object names a member twice'

/** Any JSON value of a depth well inside the limit, texts of every plane. */
const json = fc.jsonValue({ depthSize: 'medium', maxDepth: 8, stringUnit: 'binary' }).filter(isWellFormed)

describe('any JSON value', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('written with every character escaped is read the same', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter(text => text.isWellFormed()),
        text => {
          const escaped = [...Array(text.length).keys()].map(
            i => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
          )
          expect(parse(`{"a":"${escaped.join('')}"}`)).toEqual({ a: text })
        },
      ),
    )
  })

  test('cut short is refused', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json, { minKeys: 1 }), fc.nat(), (value, at) => {
        const text = JSON.stringify(value)
        expect(reasonOf(text.slice(0, at % text.length))).not.toBe('accepted')
      }),
    )
  })

  test('with one name twice is refused, however deep', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter(text => text.isWellFormed()),
        json,
        json,
        fc.array(fc.constantFrom('list', 'object'), { maxLength: 20 }),
        (name, one, other, path) => {
          const key = JSON.stringify(name)
          const inner = `{${key}:${JSON.stringify(one)},"${'x'.repeat(40)}":{},${key}:${JSON.stringify(other)}}`
          const text = path.reduce((sum, step) => (step === 'list' ? `[${sum}]` : `{"a":${sum}}`), inner)
          expect(reasonOf(text)).toBe(twice)
        },
      ),
    )
  })

  test('made of random bytes never throws anything but a StrictJsonError', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(typeof reasonOf(Buffer.from(bytes))).toBe('string')
      }),
    )
  })
})

test.each([
  ['{"a":1,"a":1}', twice],
  ['{"a":1,"\\u0061":1}', twice],
  ['[{"a":1},{"a":1}]', 'accepted'],
  ['{"a":{"a":{"a":1}}}', 'accepted'],
  ['{"":1,"":2}', twice],
  ['{"__proto__":1}', 'accepted'],
  ['{"__proto__":1,"__proto__":2}', twice],
  ['{"constructor":1,"toString":2}', 'accepted'],
  ['{"0":1,"00":2}', 'accepted'],
  ['{"a":"{\\"b\\":1,\\"b\\":1}"}', 'accepted'],
  ['{"a":"\\\\","b":"\\\\\\"","a2":":"}', 'accepted'],
  ['"\\ud800"', 'a string holds a lone surrogate'],
  ['"\\udc00\\ud800"', 'a string holds a lone surrogate'],
  ['"\\ud83d\\ude00"', 'accepted'],
  ['"\\\\ud800"', 'accepted'],
  ['["\\ud800"]', 'a string holds a lone surrogate'],
  ['{"\\ud800":1}', 'a string holds a lone surrogate'],
  ['', 'the body is empty'],
  [' ', 'the body is not JSON'],
  ['01', 'the body is not JSON at character 1'],
  ['"a', 'the body is not JSON at character 2'],
  ['{"a":1}}', 'the body is not JSON at character 7'],
  ["{'a':1}", 'the body is not JSON at character 1'],
  ['[1,]', 'the body is not JSON'],
  ['// 1\n1', 'the body is not JSON'],
  ['\uFEFF1', 'the body is not JSON'],
  ['1e999', 'accepted'],
])('%s: %s', (text, reason) =>
  expect(reasonOf(text).replace(/ at character \d+$/, '')).toBe(reason.replace(/ at character \d+$/, '')),
)

test('a member named __proto__ is a member like others', () => {
  const value = parse('{"__proto__":{"polluted":true}}') as object
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

test('nesting is read to the limit and refused past it, in time that does not grow with the depth', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const inner = open === '[' ? '' : '1'
    const nested = (depth: number): string => open.repeat(depth) + inner + close.repeat(depth)
    expect(reasonOf(nested(depthMax))).toBe('accepted')
    expect(reasonOf(nested(depthMax + 1))).toBe(`the body is nested deeper than ${depthMax}`)
    expect(reasonOf(nested(30_000))).toBe(`the body is nested deeper than ${depthMax}`)
  }
})

test('brackets in a text are not nesting', () => {
  expect(reasonOf(JSON.stringify({ a: '[{'.repeat(100) }))).toBe('accepted')
})

test('a reason never quotes the text', () => {
  fc.assert(
    fc.property(fc.constantFrom('{"canary"', '{"canary":canary}', 'canary', '["canary",]'), text => {
      expect(reasonOf(text)).not.toContain('canary')
    }),
  )
})

function isWellFormed(value: unknown): boolean {
  return JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value))
}
