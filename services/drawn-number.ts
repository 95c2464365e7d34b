// Numbers that a register gives out: drawn from what they are given for, so that the same reference draws the same wherever and
// whenever it is asked, and drawn again while the number is somebody's.
import { hash } from 'node:crypto'

export interface Draw<Drawn extends string> {
  /** Numbers of two services have nothing to do with each other. */
  service: string
  /** What the number is given for. */
  reference: string
  /** Serials are 0 … span − 1; at most nine tenths of them are given out, so that a draw misses seldom. */
  span: number
  format(serial: number): Drawn
  isTaken(number: Drawn): boolean
}

const drawsMax = 1000

/** @throws {RangeError} no draw hit a number that is free */
export function drawNumber<Drawn extends string>(draw: Draw<Drawn>): Drawn {
  const { service, reference, span, format, isTaken } = draw
  for (let at = 0; at < drawsMax; at++) {
    const digest = hash('sha256', JSON.stringify([service, reference, at]), 'hex')
    const number = format(Number.parseInt(digest.slice(0, 12), 16) % span)
    if (!isTaken(number)) return number
  }
  throw new RangeError('no number is free')
}
