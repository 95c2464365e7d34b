// A keyed permutation of 0 … size − 1, computed both ways without a table: a Feistel network over pairs of digits of base
// ⌈√size⌉, walking on when it lands past the size. For scattering, not for secrecy.
import { mix } from '#nation/chance.ts'

export interface Permutation {
  /** Where a number (0 … size − 1) goes. Another tweak is another permutation. */
  forward(number: number, tweak?: number): number
  /** Where it came from. */
  backward(number: number, tweak?: number): number
}

const rounds = 4

/**
 * Permutation of 0 … size − 1 under a 32-bit key. 10⁶ and 10⁸ are squares, so there each step is one pass of the network.
 * Source: J. Black and P. Rogaway, Ciphers with Arbitrary Finite Domains (2002), generalized Feistel and cycle walking.
 */
export function createPermutation(key: number, size: number): Permutation {
  const base = Math.ceil(Math.sqrt(size))
  const roundKeys = Int32Array.from({ length: rounds }, (_, round) => mix(key, round + 1))

  function encrypt(number: number, tweak: number): number {
    let left = Math.floor(number / base)
    let right = number % base
    for (let round = 0; round < rounds; round++) {
      const next = (left + ((mix((roundKeys[round] ?? 0) ^ tweak, right) >>> 1) % base)) % base
      left = right
      right = next
    }
    return left * base + right
  }

  function decrypt(number: number, tweak: number): number {
    let left = Math.floor(number / base)
    let right = number % base
    for (let round = rounds - 1; round >= 0; round--) {
      const before = (right - ((mix((roundKeys[round] ?? 0) ^ tweak, left) >>> 1) % base) + base) % base
      right = left
      left = before
    }
    return left * base + right
  }

  return {
    forward: (number, tweak = 0) => walk(encrypt, number, tweak, size),
    backward: (number, tweak = 0) => walk(decrypt, number, tweak, size),
  }
}

/** Repeats the step until it lands inside; from a number inside it always does, soon. */
function walk(step: (number: number, tweak: number) => number, number: number, tweak: number, size: number): number {
  let at = step(number, tweak)
  while (at >= size) at = step(at, tweak)
  return at
}
