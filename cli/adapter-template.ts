// The texts of a new adapter: the files of adapter-template/ with its names put in. They are short, right, formed as the linter wants
// them, and to be changed: a register of one record, and examples about that one and about one that is not there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Naming {
  provider: string
  service: string
  /** Official code of the agency that answers. */
  agency: string
}

export type TemplateFile = 'contract.json' | 'handler.ts.txt' | 'test.ts.txt' | 'grant.txt' | 'compose.txt'

export const fillTemplate = (file: TemplateFile, naming: Naming): string =>
  readFileSync(join(import.meta.dirname, 'adapter-template', file), 'utf8').replaceAll(
    /\{\{(provider|service|agency)\}\}/g,
    (_, name: keyof Naming) => naming[name],
  )
