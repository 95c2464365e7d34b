// Signed notes, checkpoints and keys against the C2SP texts: their own examples, notes signed here by hand, and everything that is
// not quite one.
import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyRoot } from '#ledger/merkle/hashes.ts'
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '#ledger/notes/checkpoint.ts'
import { writeDurably } from '#ledger/notes/durable-file.ts'
import { decodeBase64, decodeHash, decodeSize } from '#ledger/notes/encoding.ts'
import {
  formatVerifierKey,
  KeyError,
  makeNoteKey,
  parseVerifierKey,
  readNoteKey,
  readVerifierKey,
  readVerifierKeys,
} from '#ledger/notes/keys.ts'
import {
  addSignature,
  cosignText,
  NoteError,
  type NoteFault,
  parseNote,
  signNote,
  verifySignatures,
} from '#ledger/notes/note.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ndx-notes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const faultOf = (act: () => unknown): NoteFault | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof NoteError) return error.fault
    throw error
  }
}

describe('the examples of the texts', () => {
  const vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
  const note = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`

  test('signed-note: the key verifies the note, and is written as it was read', () => {
    const key = parseVerifierKey(vkey)
    expect({ name: key.name, id: key.id, type: key.type }).toEqual({
      name: 'example.com/foo',
      id: '530d903a',
      type: 'log',
    })
    expect(formatVerifierKey(key)).toBe(vkey)
    expect(verifySignatures(parseNote(note), [key])).toEqual([{ key }])
  })

  test('signed-note: any other text is not what it signed', () => {
    const wrong = note.replace('example message', 'example massage')
    expect(faultOf(() => verifySignatures(parseNote(wrong), [parseVerifierKey(vkey)]))).toBe('forged')
  })

  test('the Go implementation’s key and note: read, signed and verified the same', () => {
    writeFileSync(
      join(folder, 'key'),
      'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n',
    )
    const key = readNoteKey(join(folder, 'key'))
    expect(formatVerifierKey(key.verifier)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    const text = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`
    expect(signNote(text, key)).toBe(`${text}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`)
  })

  test('tlog-checkpoint: the text is parsed, whoever signed it', () => {
    const { text, signatures } = parseNote(`example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`)
    const checkpoint = parseCheckpoint(text)
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163, extensions: [] })
    expect(formatCheckpoint(checkpoint)).toBe(text)
    expect(signatures.map(({ name, id, bytes }) => [name, id, bytes.length])).toEqual([
      ['example.com/behind-the-sofa', '033de0ae', 64],
      ['witness.example.com/w1', '8d66cf3f', 72],
    ])
    expect(signatures[1]?.bytes.readBigUInt64BE()).toBe(1679315147n)
  })
})

describe('keys', () => {
  test('are made once: private for the owner alone, public beside it', () => {
    const path = join(folder, 'deep/log-key')
    const key = makeNoteKey(path, 'ndx.example/ledger')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}.pub`).mode & 0o777).toBe(0o644)
    expect(readFileSync(`${path}.pub`, 'utf8')).toBe(`${formatVerifierKey(key.verifier)}\n`)
    expect(formatVerifierKey(readVerifierKey(`${path}.pub`))).toBe(formatVerifierKey(key.verifier))
    expect(formatVerifierKey(makeNoteKey(path, 'ndx.example/ledger').verifier)).toBe(formatVerifierKey(key.verifier))
    rmSync(`${path}.pub`)
    makeNoteKey(path, 'ndx.example/ledger')
    expect(existsSync(`${path}.pub`)).toBe(true)
  })

  test('of a witness have another id and type than a log’s of the same name', () => {
    const witness = makeNoteKey(join(folder, 'w'), 'a', 'witness').verifier
    const raw = witness.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    const idOf = (type: number): string =>
      hash('sha256', Buffer.concat([Buffer.from('a\n'), Buffer.of(type), raw]), 'hex').slice(0, 8)
    expect(witness).toMatchObject({ id: idOf(4), type: 'witness' })
    expect(() => parseVerifierKey(`a+${idOf(1)}+${Buffer.concat([Buffer.of(4), raw]).toString('base64')}`)).toThrow(
      KeyError,
    )
    expect(parseVerifierKey(`a+${idOf(1)}+${Buffer.concat([Buffer.of(1), raw]).toString('base64')}`).type).toBe('log')
  })

  test('are not taken for another’s', () => {
    makeNoteKey(join(folder, 'k'), 'a')
    expect(() => makeNoteKey(join(folder, 'k'), 'b')).toThrow(KeyError)
    expect(() => makeNoteKey(join(folder, 'k'), 'a', 'witness')).toThrow(KeyError)
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085b', 'a\u3000b', 'x'.repeat(201)])
      expect(() => makeNoteKey(join(folder, 'n'), name)).toThrow(KeyError)
  })

  test('that are not quite one are refused, without their text in the message', () => {
    const right = formatVerifierKey(makeNoteKey(join(folder, 'k'), 'a').verifier)
    const [, id = '', encoded = ''] = right.split(/\+(.{8})\+/)
    const wrong = [
      '',
      'a',
      `a+${id}`,
      `a+${id}+`,
      `+${id}+${encoded}`,
      `a+${id.toUpperCase()}A+${encoded}`,
      `a+00000000+${encoded}`,
    ]
    const more = [`${right}\n`, `${right}=`, ` ${right}`, right.slice(0, -4), `b${right.slice(1)}`, `a+${id}+BgAA`]
    for (const text of [...wrong, ...more]) expect(() => parseVerifierKey(text), text).toThrow(KeyError)
    writeFileSync(join(folder, 'half'), readFileSync(join(folder, 'k'), 'utf8').slice(0, 50))
    expect(() => readNoteKey(join(folder, 'half'))).toThrow(/half: no key of a note: name\+id\+base64$/)
    expect(() => readNoteKey(join(folder, 'k.pub'))).toThrow(KeyError)
    expect(() => readNoteKey(join(folder, 'none'))).toThrow(/ENOENT/)
  })

  test('of a folder are those that end in .pub, in the order of their names', () => {
    expect(readVerifierKeys(join(folder, 'none'))).toEqual([])
    for (const name of ['b', 'a']) makeNoteKey(join(folder, name), name)
    expect(readVerifierKeys(folder).map(({ name }) => name)).toEqual(['a', 'b'])
    writeFileSync(join(folder, 'c.pub'), 'nonsense\n')
    expect(() => readVerifierKeys(folder)).toThrow(/c\.pub/)
  })
})

describe('notes', () => {
  const signer = () => makeNoteKey(join(folder, 'k'), 'log.example')
  const line = `— a ${Buffer.alloc(68).toString('base64')}`

  test('are parted at the last blank line', () => {
    expect(parseNote(`one\n\ntwo\n\n${line}\n${line}\n`)).toMatchObject({ text: 'one\n\ntwo\n', signatures: [{}, {}] })
    expect(parseNote(`\n\n${line}\n`).text).toBe('\n')
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['no signature', 'text\n'],
    ['no signature after the blank line', 'text\n\n'],
    ['no end of the last line', `text\n\n${line}`],
    ['a blank line after the signatures', `text\n\n${line}\n\n`],
    ['two blanks between them', `text\n\n${line}\n\n${line}x\n`],
    ['a hyphen for the dash', `text\n\n${line.replace('—', '-')}\n`],
    ['two spaces', `text\n\n${line.replace(' a', '  a')}\n`],
    ['a space at the end', `text\n\n${line} \n`],
    ['no name', `text\n\n— ${Buffer.alloc(68).toString('base64')}\n`],
    ['a plus in the name', `text\n\n${line.replace(' a ', ' a+b ')}\n`],
    ['a no-break space in the name', `text\n\n${line.replace(' a ', ' a\u00a0b ')}\n`],
    ['base 64 without padding', `text\n\n${line.replaceAll('=', '')}\n`],
    ['base 64 for addresses', `text\n\n— a ${Buffer.alloc(68, 0xff).toString('base64url')}=\n`],
    ['an id and nothing more', `text\n\n— a ${Buffer.alloc(4).toString('base64')}\n`],
    ['a carriage return', `text\r\n\n${line}\n`],
    ['a tab', `te\txt\n\n${line}\n`],
    ['a NUL', `te\u0000xt\n\n${line}\n`],
    ['half a surrogate pair', `te\ud800xt\n\n${line}\n`],
    ['too many signatures', `text\n\n${`${line}\n`.repeat(33)}`],
    ['too long a text', `${'x'.repeat(65_536)}\n\n${line}\n`],
  ])('with %s are none', (_, note) => {
    expect(faultOf(() => parseNote(note))).toBe('malformed')
  })

  test('of 32 signatures are still one', () => {
    expect(parseNote(`text\n\n${`${line}\n`.repeat(32)}`).signatures).toHaveLength(32)
  })

  test('signatures of others are no matter; of one name or one id alone neither', () => {
    const key = signer()
    const other = makeNoteKey(join(folder, 'o'), 'log.example')
    const note = addSignature(signNote('text\n', other), signNote('text\n', key).split('\n')[2]!)
    expect(verifySignatures(parseNote(note), [key.verifier])).toEqual([{ key: key.verifier }])
    expect(verifySignatures(parseNote(note), [{ ...key.verifier, name: 'elsewhere' }])).toEqual([])
    expect(verifySignatures(parseNote(note), [])).toEqual([])
  })

  test('a wrong signature in a known key’s name spoils the note, though a right one is there', () => {
    const key = signer()
    const right = signNote('text\n', key)
    const wrong = signNote('other\n', key).split('\n')[2]!
    expect(verifySignatures(parseNote(addSignature(right, right.split('\n')[2]!)), [key.verifier])).toHaveLength(1)
    expect(verifySignatures(parseNote(`${right}${right.split('\n')[2]}\n`), [key.verifier])).toHaveLength(1)
    expect(faultOf(() => verifySignatures(parseNote(addSignature(right, wrong)), [key.verifier]))).toBe('forged')
  })

  test('any one bit of the signature changed is found', () => {
    const key = signer()
    const { text, signatures } = parseNote(signNote('text\n', key))
    const [{ bytes, ...signature }] = signatures as [(typeof signatures)[0]]
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(
        faultOf(() => verifySignatures({ text, signatures: [{ ...signature, bytes: flipped }] }, [key.verifier])),
      ).toBe('forged')
    }
  })

  test('any text is read back as it was signed', () => {
    const key = signer()
    const line = fc.string({ unit: 'grapheme', maxLength: 30 }).filter(text => !/\p{Cc}/u.test(text))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), lines => {
        const text = `${lines.join('\n')}\n`
        const note = parseNote(signNote(text, key))
        expect(note.text).toBe(text)
        expect(verifySignatures(note, [key.verifier])).toHaveLength(1)
      }),
      { numRuns: 100 },
    )
  })
})

describe('cosignatures', () => {
  const text = formatCheckpoint({ origin: 'log.example', size: 0, root: emptyRoot })

  test('are what tlog-cosignature says, byte for byte', () => {
    const key = makeNoteKey(join(folder, 'w'), 'witness.example', 'witness')
    const message = `cosignature/v1\ntime 1679315147\nlog.example\n0\n${emptyRoot.toString('base64')}\n`
    const bytes = Buffer.concat([
      Buffer.from(key.verifier.id, 'hex'),
      Buffer.from('00000000641850cb', 'hex'),
      sign(null, Buffer.from(message), key.privateKey),
    ])
    expect(cosignText(text, key, 1679315147)).toBe(`— witness.example ${bytes.toString('base64')}`)
  })

  test('tell their time, and hold for no other time, text or type', () => {
    const key = makeNoteKey(join(folder, 'w'), 'witness.example', 'witness')
    const noteOf = (line: string, of = text) => parseNote(`${of}\n${line}\n`)
    const line = cosignText(text, key, 1_700_000_000)
    expect(verifySignatures(noteOf(line), [key.verifier])).toEqual([{ key: key.verifier, timeS: 1_700_000_000 }])
    const bytes = decodeBase64(line.split(' ')[2]!)!
    const later = Buffer.from(bytes)
    later[11]! += 1
    const as = (changed: Buffer): string => `— witness.example ${changed.toString('base64')}`
    for (const wrong of [
      later,
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.concat([bytes.subarray(0, 4), bytes.subarray(12)]),
    ])
      expect(faultOf(() => verifySignatures(noteOf(as(wrong)), [key.verifier]))).toBe('forged')
    expect(faultOf(() => verifySignatures(noteOf(line, `${text}more\n`), [key.verifier]))).toBe('forged')
    expect(faultOf(() => verifySignatures(noteOf(cosignText(text, key, 0)), [key.verifier]))).toBe('forged')
    expect(faultOf(() => verifySignatures(noteOf(line), [{ ...key.verifier, type: 'log' }]))).toBe('forged')
  })
})

describe('checkpoints', () => {
  const root = emptyRoot.toString('base64')

  test.each<[string, string]>([
    ['two lines', 'log.example\n0\n'],
    ['no origin', `\n0\n${root}\n`],
    ['a leading zero', `log.example\n00\n${root}\n`],
    ['a sign', `log.example\n+1\n${root}\n`],
    ['no number', `log.example\nx\n${root}\n`],
    ['a size beyond what can be counted', `log.example\n9007199254740993\n${root}\n`],
    ['half a root', `log.example\n0\n${root.slice(0, 40)}\n`],
    ['a root of other base 64', `log.example\n0\n${root.slice(0, -2)}V=\n`],
    ['an empty extension', `log.example\n0\n${root}\n\n`],
    ['an empty extension before another', `log.example\n0\n${root}\n\nx\n`],
    ['no end', `log.example\n0\n${root}`],
    ['too many extensions', `log.example\n0\n${root}\n${'x\n'.repeat(17)}`],
    ['too long an origin', `${'x'.repeat(201)}\n0\n${root}\n`],
  ])('with %s are none', (_, text) => {
    expect(faultOf(() => parseCheckpoint(text))).toBe('malformed')
  })

  test('keep their extensions', () => {
    const checkpoint = { origin: 'log.example', size: 0, root: emptyRoot, extensions: ['one', 'two 2'] }
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)
  })

  test('are opened by a key of their log, with the witnesses that cosigned', () => {
    const key = makeNoteKey(join(folder, 'k'), 'log.example')
    const witness = makeNoteKey(join(folder, 'w'), 'w.example', 'witness')
    const stranger = makeNoteKey(join(folder, 's'), 's.example', 'witness')
    const note = signCheckpoint({ origin: 'log.example', size: 0, root: emptyRoot }, key)
    const { text } = parseNote(note)
    const cosigned = [witness, stranger].reduce((all, by) => addSignature(all, cosignText(text, by, 7)), note)
    expect(openCheckpoint(cosigned, [key.verifier], [witness.verifier])).toEqual({
      origin: 'log.example',
      size: 0,
      root: emptyRoot,
      extensions: [],
      text,
      cosignatures: [{ key: witness.verifier, timeS: 7 }],
    })
  })

  test('are not opened by another log’s key, a witness’s, or none', () => {
    const key = makeNoteKey(join(folder, 'k'), 'log.example')
    const other = makeNoteKey(join(folder, 'o'), 'other.example')
    const witness = makeNoteKey(join(folder, 'w'), 'log.example', 'witness')
    const text = formatCheckpoint({ origin: 'log.example', size: 0, root: emptyRoot })
    expect(faultOf(() => openCheckpoint(signNote(text, other), [other.verifier, key.verifier]))).toBe('unsigned')
    expect(faultOf(() => openCheckpoint(signNote(text, key), []))).toBe('unsigned')
    expect(faultOf(() => openCheckpoint(`${text}\n${cosignText(text, witness, 1)}\n`, [witness.verifier]))).toBe(
      'unsigned',
    )
    expect(() => signCheckpoint({ origin: 'log.example', size: 0, root: emptyRoot }, other)).toThrow(RangeError)
  })
})

describe('encodings', () => {
  test('of base 64 and numbers are the one form or nothing', () => {
    expect(decodeBase64('AA==')).toEqual(Buffer.of(0))
    for (const text of ['AA', 'AA=', 'AB==', 'AA==\n', ' AA==', '_w==', 'A']) expect(decodeBase64(text)).toBeUndefined()
    expect(decodeHash(emptyRoot.toString('base64'))).toEqual(emptyRoot)
    expect(decodeHash(Buffer.alloc(31).toString('base64'))).toBeUndefined()
    expect(['0', '7', '9007199254740991'].map(decodeSize)).toEqual([0, 7, Number.MAX_SAFE_INTEGER])
    for (const text of ['', '00', '01', '-1', '1.0', '1e3', '٣', ' 1', '9007199254740992', '99999999999999999'])
      expect(decodeSize(text)).toBeUndefined()
  })
})

test('a file is written whole or not at all: what was half written before is no matter', () => {
  const path = join(folder, 'file')
  writeFileSync(`${path}.tmp`, 'half')
  writeDurably(path, 'first', 0o600)
  writeDurably(path, 'second', 0o600)
  expect([readFileSync(path, 'utf8'), existsSync(`${path}.tmp`)]).toEqual(['second', false])
  expect(() => writeDurably(join(folder, 'none/file'), 'x')).toThrow(/ENOENT/)
})

test('a key of another kind than Ed25519 is none', () => {
  const raw = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' })
  expect(() =>
    parseVerifierKey(`a+00000000+${Buffer.concat([Buffer.of(2), raw.subarray(-32)]).toString('base64')}`),
  ).toThrow(KeyError)
})
