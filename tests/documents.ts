// Reads a README as a reader does: its code blocks in order, with the marker comment that stands before them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonObject } from '#contracts/json.ts'

export const root = join(import.meta.dirname, '..')

export interface Block {
  language: string
  text: string
  /** The content of an HTML comment on the line before, e.g. `file: services/library/publication-record.ts`. */
  marker?: string
}

export function readBlocks(path: string): Block[] {
  const text = readFileSync(join(root, path), 'utf8')
  const blocks = text.matchAll(/(?:<!-- (?<marker>[^\n]*?) -->\n)?```(?<language>[a-z]+)\n(?<text>[\s\S]*?)```/g)
  return [...blocks].map(({ groups }) => ({
    language: groups?.['language'] ?? '',
    text: groups?.['text'] ?? '',
    ...(groups?.['marker'] === undefined ? {} : { marker: groups['marker'] }),
  }))
}

/** The JSON block that has this in it; null when none has. */
export const exampleIn = (blocks: readonly Block[], part: string): JsonObject =>
  JSON.parse(
    blocks.find(({ language, text }) => language === 'json' && text.includes(part))?.text ?? 'null',
  ) as JsonObject
