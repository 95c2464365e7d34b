// The reading of lines, to the byte, and what is said of a file that is not lines of ours.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { checkpointLineBytesMax, entryLineBytesMax, LineError, readLines } from '#ledger/proof/text-lines.ts'

const collect = async (...chunks: (string | Buffer)[]): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of readLines(chunks.map(chunk => Buffer.from(chunk as string)))) lines.push(line)
  return lines
}

describe('lines', () => {
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

  test('of the greatest length are lines: an entry’s, and a checkpoint’s, which may be longer', async () => {
    expect(await collect(`${'x'.repeat(entryLineBytesMax)}\n`)).toHaveLength(1)
    expect(await collect(`checkpoint ${'x'.repeat(checkpointLineBytesMax - 11)}\n`)).toHaveLength(1)
  })
})

describe('of a file that is no such lines it is said', () => {
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
  const long = (bytes: number, start = ''): string => start + 'x'.repeat(bytes + 1 - start.length)
  test.each<[string, (string | Buffer)[], number, RegExp]>([
    ['the last line has no end', ['a\nb'], 2, /^the file ends in the middle of line 2: it was cut$/],
    ['bytes are not UTF-8', ['a\n', Buffer.from([0x61, 0xff, 0x0a])], 2, /^line 2 is not UTF-8/],
    ['a character is half', ['a\nb\n', Buffer.from([0xe1, 0xba, 0x0a])], 3, /^line 3 is not UTF-8/],
    ['it was saved as Latin-1', ['a\n', Buffer.from('hồ sơ é\n', 'latin1')], 2, /^line 2 is not UTF-8/],
    ['a line is too long', ['a\n', long(entryLineBytesMax)], 2, /^line 2 is longer than 16446 bytes/],
    ['a line with an end is too long', [`a\n${long(entryLineBytesMax)}\n`], 2, /^line 2 is longer than 16446 bytes/],
    [
      'a checkpoint is too long',
      [long(checkpointLineBytesMax, 'checkpoint ')],
      1,
      /^line 1 is longer than 131085 bytes/,
    ],
    [
      'its line ends are Windows’',
      ['a\r\nb\r\n'],
      1,
      /^the file has Windows line ends \(CRLF\) from line 1: convert it back/,
    ],
    ['its line ends are so from a line on', ['a\nb\nc\r\n'], 3, /\(CRLF\) from line 3/],
    ['its line ends are old Macintosh’s', ['abc\r'.repeat(5_000)], 1, /\(CR\) from line 1/],
    ['a mark stands before it', ['\ufeffa\n'], 1, /byte order mark \(BOM\)/],
    ['a mark and Windows line ends', ['\ufeffa\r\n'], 1, /byte order mark \(BOM\)/],
    ['it is UTF-16 with a mark', [utf16('\ufeffndx-export/v1\n')], 1, /is UTF-16: convert it back to UTF-8/],
    ['it is UTF-16 without', [utf16('ndx-export/v1\n')], 1, /is UTF-16/],
    ['it is UTF-16 of the other order', [utf16('ndx-export/v1\n').swap16()], 1, /is UTF-16/],
    ['it is compressed', [gzipSync('a\n')], 1, /is compressed \(gzip\): unpack it first/],
    ['it is compressed and cut', [gzipSync('a\n'.repeat(1_000)).subarray(0, 20)], 1, /is compressed \(gzip\)/],
    [
      'there is a hole in it',
      ['a\nb', Buffer.alloc(512), 'c\n'],
      2,
      /^line 2 holds zero bytes: part of the file was lost/,
    ],
  ])('when %s', async (_, chunks, line, message) => {
    const error = await collect(...chunks).catch(caught => caught)
    expect(error).toBeInstanceOf(LineError)
    expect(error).toMatchObject({ line, message: expect.stringMatching(message) })
  })
})
