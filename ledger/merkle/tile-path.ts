// Where a tiled log's tiles and entry bundles are, below its prefix (C2SP tlog-tiles): `tile/<L>/<N>[.p/<W>]` and
// `tile/entries/<N>[.p/<W>]`. N is written in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067.
import { tileHashes } from './tiles.ts'

export interface TilePlace {
  /** As the specification counts them: its level 1 is this log's level 8. An entry bundle is its own kind. */
  level: number | 'entries'
  index: number
  /** Hashes or entries in it, 1 to 256. */
  width: number
}

const levelMax = 63
/** Six groups hold every whole number that JavaScript has. */
const form = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,5})([0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

export function formatTilePath({ level, index, width }: TilePlace): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  const number = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${number}${width === tileHashes ? '' : `.p/${width}`}`
}

/** `undefined` for everything but the one text that `formatTilePath` gives. */
export function parseTilePath(path: string): TilePlace | undefined {
  const [, levelText = '', high = '', low = '', widthText] = form.exec(path) ?? []
  const place: TilePlace = {
    level: levelText === 'entries' ? levelText : Number(levelText),
    index: Number(high.replaceAll(/[x/]/g, '') + low),
    width: Number(widthText ?? tileHashes),
  }
  const isPlace =
    (place.level === 'entries' || place.level <= levelMax) &&
    Number.isSafeInteger(place.index) &&
    place.width <= tileHashes
  return isPlace && formatTilePath(place) === path ? place : undefined
}
