// Which spellings of a name are one name.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSameName, normalizeName } from '#contracts/person-name.ts'

const options = fc.constantFrom({ diacritics: 'keep' } as const, { diacritics: 'fold' } as const)
const letters = [...'aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ']
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 7 })
const name = fc.array(word, { minLength: 1, maxLength: 5 }).map(words => words.join(' '))
const spaces = fc.string({ unit: fc.constantFrom(' ', '\t', '\u00a0', '\n', '\u3000'), minLength: 1, maxLength: 3 })

describe('a name normalised', () => {
  it('stays as it is when normalised again, whatever it was', () => {
    const anything = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), name)
    fc.assert(
      fc.property(anything, options, (value, option) => {
        const form = normalizeName(value, option)
        expect(normalizeName(form, option)).toBe(form)
      }),
      { numRuns: 2000 },
    )
  })

  it('is the same from composed and decomposed text', () => {
    fc.assert(
      fc.property(name, options, (value, option) => isSameName(value.normalize('NFD'), value.normalize('NFC'), option)),
    )
  })

  it('does not depend on case or spaces', () => {
    fc.assert(
      fc.property(name, spaces, options, (value, space, option) => {
        expect(normalizeName(`${space}${value.toUpperCase().replaceAll(' ', space)}${space}`, option)).toBe(
          normalizeName(value, option),
        )
      }),
    )
  })

  it('is the same under fold whenever it is under keep, and is ASCII for Vietnamese', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        if (isSameName(a, b, { diacritics: 'keep' })) expect(isSameName(a, b, { diacritics: 'fold' })).toBe(true)
        expect(normalizeName(a, { diacritics: 'fold' })).toMatch(/^[A-Z ]+$/)
      }),
    )
  })

  it.each([
    ['Nguyễn Văn An', 'NGUYỄN VĂN AN', 'NGUYEN VAN AN'],
    ['  đỗ \t thị\u00a0 hồng ', 'ĐỖ THỊ HỒNG', 'DO THI HONG'],
    ['\u0110ặng \u00d0ức', '\u0110ẶNG \u0110ỨC', 'DANG DUC'],
    ['Trần Hoà', 'TRẦN HÒA', 'TRAN HOA'],
    ['Trần Hòa', 'TRẦN HÒA', 'TRAN HOA'],
    ['Lê Thuý Loan', 'LÊ THÚY LOAN', 'LE THUY LOAN'],
    ['Phạm Khoẻ', 'PHẠM KHỎE', 'PHAM KHOE'],
    ['Vũ Quý', 'VŨ QUÝ', 'VU QUY'],
    ['Vũ Qúy', 'VŨ QUÝ', 'VU QUY'],
    ['Hoàng Toàn', 'HOÀNG TOÀN', 'HOANG TOAN'],
    ['Nguyễn Xoài', 'NGUYỄN XOÀI', 'NGUYEN XOAI'],
    ['H’Hen Niê', "H'HEN NIÊ", "H'HEN NIE"],
    ['Kpă Y\u200b Bê', 'KPĂ Y BÊ', 'KPA Y BE'],
    ['Ayŭn H-Lan', 'AYŬN H-LAN', 'AYUN H-LAN'],
    ['', '', ''],
  ])('of %j keeps as %j and folds as %j', (value, kept, folded) => {
    expect(normalizeName(value, { diacritics: 'keep' })).toBe(kept)
    expect(normalizeName(value, { diacritics: 'fold' })).toBe(folded)
  })
})

describe('two names', () => {
  it.each([
    ['Nguyễn Thị Lan', 'nguyễn  thị LAN', true, true],
    ['Nguyễn Thị Lan', 'Nguyen Thi Lan', false, true],
    ['Trần Lan', 'Trần Lân', false, true],
    ['Trần Hùng', 'Trần Hưng', false, true],
    ['Đỗ Duy', 'Do Duy', false, true],
    ['Nguyễn Văn An', 'Nguyễn An Văn', false, false],
    ['Nguyễn Văn An', 'Nguyễn Văn', false, false],
    ['', '', false, false],
    [' ', '\u200b', false, false],
  ])('%j and %j: kept %s, folded %s', (a, b, kept, folded) => {
    expect(isSameName(a, b, { diacritics: 'keep' })).toBe(kept)
    expect(isSameName(a, b, { diacritics: 'fold' })).toBe(folded)
  })
})
