// The reading of lines, to the byte.
import { describe, expect, test } from 'vitest'
import { LineError, lineBytesMax, readLines } from '#ledger/proof/text-lines.ts'

describe('lines', () => {
  const collect = async (...chunks: (string | Buffer)[]): Promise<string[]> => {
    const lines: string[] = []
    for await (const line of readLines(chunks.map(chunk => Buffer.from(chunk as string)))) lines.push(line)
    return lines
  }

  test('are put together from whatever pieces they come in', async () => {
    const bytes = Buffer.from('một\nhai\n\nba\n')
    for (let size = 1; size < bytes.length; size++) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      expect(await collect(...pieces)).toEqual(['một', 'hai', '', 'ba'])
    }
    expect(await collect()).toEqual([])
  })

  test.each<[string, (string | Buffer)[]]>([
    ['without an end', ['a\nb']],
    ['that are not UTF-8', [Buffer.from([0x61, 0xff, 0x0a])]],
    ['that are half a character', [Buffer.from([0xe1, 0xba, 0x0a])]],
    ['too long', ['x'.repeat(lineBytesMax + 1)]],
    ['too long, with an end', [`${'x'.repeat(lineBytesMax + 1)}\n`]],
  ])('%s are a fault', async (_, chunks) => {
    await expect(collect(...chunks)).rejects.toThrow(LineError)
  })

  test('of the greatest length are lines, and a mark at the beginning is part of the first', async () => {
    expect(await collect(`${'x'.repeat(lineBytesMax)}\n`)).toHaveLength(1)
    expect(await collect('\ufeffa\n')).toEqual(['\ufeffa'])
  })
})
