// The house rules that a machine can keep (DESIGN section 2, HOUSE): who may import whom, where each outside thing is touched,
// how files are named, headed and sized, and words that mean something else here. Reads the lines of the source. It cannot see
// what is imported by a computed name, what an allowed import does, or whether a header is true.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const folders = [
  'contracts',
  'runtime',
  'bus',
  'gateway',
  'ledger',
  'services',
  'conformance',
  'nation',
  'console',
  'cli',
  'bench',
  'tests',
]

interface Source {
  file: string
  text: string
  lines: string[]
  /** As written; type-only ones apart. */
  imports: string[]
  typeImports: string[]
}

const importForm = /^\s*(?:import|export)\s+(?:[\s\S]*?\sfrom\s+)?'([^']+)'/gm
const dynamicForm = /\bimport\('([^']+)'\)/g

const sources: Source[] = folders.flatMap(listFiles).map(readSource)
const ofProduct = sources.filter(({ file }) => !file.startsWith('tests/') && !file.startsWith('bench/'))

function listFiles(folder: string): string[] {
  const entries = readdirSyncIfThere(join(root, folder))
  return entries.filter(name => name.endsWith('.ts')).map(name => `${folder}/${name}`)
}

function readdirSyncIfThere(path: string): string[] {
  try {
    return (readdirSync(path, { recursive: true }) as string[]).filter(name => !name.includes('node_modules'))
  } catch {
    return []
  }
}

function readSource(file: string): Source {
  const text = readFileSync(join(root, file), 'utf8')
  const found = [...text.matchAll(importForm)].map(([statement, from = '']) => ({ statement, from }))
  const isTypeOnly = (statement: string): boolean => {
    const names =
      /\{([\s\S]*)\}/
        .exec(statement)?.[1]
        ?.split(',')
        .map(name => name.trim())
        .filter(Boolean) ?? []
    return (
      /^\s*(import|export)\s+type\b/.test(statement) ||
      (names.length > 0 && names.every(name => name.startsWith('type ')))
    )
  }
  return {
    file,
    text,
    lines: text.split('\n'),
    imports: [
      ...found.filter(({ statement }) => !isTypeOnly(statement)).map(({ from }) => from),
      ...[...text.matchAll(dynamicForm)].map(([, from = '']) => from),
    ],
    typeImports: found.filter(({ statement }) => isTypeOnly(statement)).map(({ from }) => from),
  }
}

/** The top folder an import leads to; undefined: a package, or Node's own. */
function folderOf(file: string, from: string): string | undefined {
  if (from.startsWith('#')) return from.slice(1).split('/')[0]
  return from.startsWith('.') ? normalize(join(dirname(file), from)).split('/')[0] : undefined
}

const where = (isWrong: (source: Source) => boolean, among = ofProduct): string[] =>
  among.filter(isWrong).map(({ file }) => file)

const arrows: Record<string, string[]> = {
  contracts: [],
  runtime: [],
  bus: ['contracts'],
  nation: ['contracts'],
  gateway: ['bus', 'contracts', 'runtime'],
  ledger: ['bus', 'contracts', 'runtime'],
  services: ['bus', 'contracts', 'nation', 'runtime'],
  conformance: ['bus', 'contracts'],
  console: [],
}

describe('arrows', () => {
  test('every folder of source is known here', () => {
    const found = readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !/^(\.|node_modules$|data$|docs$|docker$|examples$)/.test(entry.name))
      .map(entry => entry.name)
    expect(found.filter(name => !folders.includes(name))).toEqual([])
  })

  test.each(Object.entries(arrows))('%s imports only %j', (folder, allowed) => {
    const wrong = ofProduct
      .filter(({ file }) => file.startsWith(`${folder}/`))
      .flatMap(({ file, imports, typeImports }) => {
        const typesToo = folder === 'runtime' ? ['contracts'] : []
        const isWrong = (from: string, more: string[]): boolean => {
          const to = folderOf(file, from)
          return to !== undefined && to !== 'package.json' && ![folder, ...allowed, ...more].includes(to)
        }
        return [
          ...imports.filter(from => isWrong(from, [])),
          ...typeImports.filter(from => isWrong(from, typesToo)),
        ].map(from => `${file} imports ${from}`)
      })
    expect(wrong).toEqual([])
  })

  test('no agency imports another’s code', () => {
    const agencyOf = (path: string): string | undefined => /^services\/([^/]+)\/[^/]+$/.exec(path)?.[1]
    const wrong = ofProduct.flatMap(({ file, imports, typeImports }) => {
      const own = agencyOf(file)
      const targets = [...imports, ...typeImports].map(from =>
        from.startsWith('#') ? from.slice(1) : normalize(join(dirname(file), from)),
      )
      return own === undefined
        ? []
        : targets.filter(to => ![undefined, own].includes(agencyOf(to))).map(to => `${file} imports ${to}`)
    })
    expect(wrong).toEqual([])
  })

  test('no product code imports a test', () => {
    expect(
      where(({ imports, typeImports }) =>
        [...imports, ...typeImports].some(from => /^#tests\/|vitest|fast-check/.test(from)),
      ),
    ).toEqual([])
  })

  test('folders are named by package imports, not climbed to', () => {
    const climbs = ({ file, imports, typeImports }: Source): boolean =>
      [...imports, ...typeImports].some(
        from =>
          from.startsWith('.') &&
          ![file.split('/')[0], 'package.json', 'vitest.config.ts', 'bench'].includes(folderOf(file, from)),
      )
    expect(where(climbs, sources)).toEqual([])
  })

  test('imports say their ending', () => {
    const hasNone = ({ imports, typeImports }: Source): boolean =>
      [...imports, ...typeImports].some(from => /^[.#]/.test(from) && !/\.(ts|json)$/.test(from))
    expect(where(hasNone, sources)).toEqual([])
  })

  test('nobody looks inside the real bus but the compositions', () => {
    const reaches = ({ file, imports }: Source): boolean =>
      !file.startsWith('bus/kafka-bus/') && imports.some(from => /kafka-bus\//.test(from))
    expect(where(reaches).filter(file => !/^(gateway|services|ledger)\/main\.ts$|^cli\//.test(file))).toEqual([])
  })
})

describe('each outside thing has its place', () => {
  const imports = (name: RegExp) => (source: Source) =>
    [...source.imports, ...source.typeImports].some(from => name.test(from))
  const says = (form: RegExp) => (source: Source) => form.test(code(source))

  test.each<[string, (source: Source) => boolean, RegExp]>([
    ['kafkajs', imports(/^kafkajs/), /^bus\/kafka-bus\//],
    ['ioredis', imports(/^ioredis/), /^gateway\/counters\/redis-counters\.ts$/],
    ['@fastify/jwt', imports(/^@fastify\/jwt/), /^gateway\/plugins\/authentication\.ts$/],
    ['jose', imports(/^jose/), /^gateway\/tokens\/|^runtime\/client-assertion\.ts$|^cli\/simulated-client\.ts$/],
    ['ajv', imports(/^ajv/), /^(contracts\/(validation|cross-checks)|runtime\/config)\.ts$/],
    [
      'fastify',
      imports(/^fastify$/),
      /^gateway\/(app|listeners|rate-limit-fields|limits\/client-limits)\.ts$|^gateway\/(plugins|routes)\/|^ledger\/(api|tlog-tiles)\.ts$/,
    ],
    ['prom-client', imports(/^prom-client/), /^(gateway|ledger)\/metrics\.ts$/],
    ['pino', imports(/^pino/), /^runtime\/log\.ts$/],
    ['node:sqlite', imports(/^node:sqlite/), /^ledger\/|^services\/|^runtime\/file-lock\.ts$/],
    ['node:child_process', imports(/^node:child_process/), /^cli\//],
    ['process.env', says(/\bprocess\.env\b/), /^(runtime\/lifetime\.ts|cli\/)/],
    ['process.exit', says(/\bprocess\.(exit|abort|kill)\b/), /^(runtime\/lifetime|cli\/ndx)\.ts$/],
    ['process.argv', says(/\bprocess\.argv\b/), /^(services\/main\.ts|cli\/)/],
    [
      'a topic’s name',
      says(/['"`]ndx\.(request|reply|note|probe|dead-letter|checkpoint|registry)['".`$]/),
      /^(bus\/(topics|message|note|kafka-bus\/kafka-bus)|contracts\/registry)\.ts$/,
    ],
  ])('%s', (_, touches, place) => expect(where(touches).filter(file => !place.test(file))).toEqual([]))

  test('the exchange takes clock, chance, environment and road as arguments', () => {
    const pure = ofProduct.filter(({ file }) => file.startsWith('gateway/exchange/'))
    expect(pure.length).toBeGreaterThan(3)
    expect(where(says(/\b(Date\.now|new Date\(\)|performance\.|Math\.random|process\.|console\.)/), pure)).toEqual([])
    expect(where(imports(/^(node:|fastify|kafkajs|ioredis|@fastify|pino)/), pure)).toEqual([])
  })

  test('the nation is a function: no clock, no chance, no files', () => {
    const pure = ofProduct.filter(({ file }) => file.startsWith('nation/'))
    expect(where(says(/\b(Date\.now|new Date\(\)|performance\.|Math\.random|process\.)/), pure)).toEqual([])
    expect(where(imports(/^node:(?!crypto)/), pure)).toEqual([])
  })

  test('no code asks whether it is under test', () => {
    expect(where(says(/NODE_ENV|VITEST|isTest\b|underTest/))).toEqual([])
  })
})

describe('files', () => {
  test('open with one to six lines that say what they are for', () => {
    const headerOf = ({ lines }: Source): number => {
      const body = lines[0]?.startsWith('#!') ? lines.slice(1) : lines
      return body.findIndex(line => !line.startsWith('//'))
    }
    expect(where(source => headerOf(source) < 1 || headerOf(source) > 6, sources)).toEqual([])
  })

  test('have 400 lines at most', () => {
    expect(where(({ lines }) => lines.length > 401, sources)).toEqual([])
  })

  test('are kebab-case nouns, never a drawer for odds and ends', () => {
    const isWrong = ({ file }: Source): boolean => {
      const parts = file.replace(/\.ts$/, '').split('/')
      return parts.some(
        part =>
          /(^|[-.])(utils?|commons?|helpers?|managers?|base|misc|shared|types|index)([-.]|$)/.test(part) ||
          !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(part),
      )
    }
    expect(where(isWrong, sources)).toEqual([])
  })

  test('export what they export by name', () => {
    expect(where(({ text }) => /^export default/m.test(text))).toEqual([])
  })

  test('hold nothing that Node cannot strip', () => {
    expect(
      where(
        source => /^\s*(export\s+)?(declare\s+)?(const\s+)?(enum|namespace)\s+\w+\s*\{/m.test(code(source)),
        sources,
      ),
    ).toEqual([])
  })

  test('hold no path of a machine', () => {
    expect(where(({ text }) => /(['"`\s])\/(home|Users|work|root)\//.test(text), sources)).toEqual([])
  })
})

describe('words', () => {
  /** Word → where it is somebody else's word and may stand. */
  const banned: [RegExp, RegExp][] = [
    [/\bconsumers?\b/i, /^bus\/|^bench\/peers\/|^tests\/(bus|suites|integration|stack|architecture)/],
    [/\bproducers?\b/i, /^bus\/|^tests\/(bus|suites|integration|stack)/],
    [/\btenants?\b/i, /^$/],
    [/\brequesters?\b/i, /^$/],
    [/\bsuppliers?\b/i, /^$/],
    [/\bmediators?\b/i, /^$/],
    [/\bthrottl(e|es|ed|ing)\b/i, /^bus\/kafka-bus\//],
    [/\bmicroservices?\b/i, /^bench\/peers\//],
    [/\brequest ids?\b|\brequestId\b/i, /^$/],
    [/\btransaction ids?\b|\btransactionId\b/i, /^bus\//],
    [/\baudit rows?\b/i, /^$/],
    [/\berror responses?\b/i, /^$/],
    [/\bTODO\b|\bFIXME\b|\bXXX\b/, /^$/],
  ]

  test.each(banned)('%s is said otherwise here', (word, elsewhere) => {
    const among = sources.filter(({ file }) => file !== 'tests/architecture.test.ts' && !elsewhere.test(file))
    const found = among.flatMap(({ file, lines }) =>
      lines.flatMap((line, i) => (word.test(line) ? [`${file}:${i + 1}`] : [])),
    )
    expect(found).toEqual([])
  })

  test('tests are present-tense sentences', () => {
    const says = ({ lines, file }: Source): string[] =>
      lines.flatMap((line, i) =>
        /\b(test|describe)(\.each\([^)]*\))?\(\s*['"`][^'"`]*\bshould\b/.test(line) ? [`${file}:${i + 1}`] : [],
      )
    expect(sources.filter(({ file }) => file.startsWith('tests/')).flatMap(says)).toEqual([])
  })
})

/** The text without comments and without what stands in quotes of one line, but for templates. */
function code({ text }: Source): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}
