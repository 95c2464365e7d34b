// Repeatable dice. A draw depends only on the seed, a number and a topic, so any fact of the nation can be computed alone and
// in any order. Not for secrets: the mixing is fast, not cryptographic.

/** What a draw is for; two topics of one person are independent. */
export type Topic = number

export interface Chance {
  /** 0 … 4294967295, the same for the same number and topic. */
  draw(number: number, topic: Topic): number
}

export function createChance(seed: number): Chance {
  const key = mix(seed >>> 0, 0x9e3779b9)
  return { draw: (number, topic) => mix(mix(key ^ number, topic), number) }
}

/** Scatters two numbers (their low 32 bits) over 0 … 4294967295. After the finalizer of MurmurHash3 (Appleby, public domain). */
export function mix(a: number, b: number): number {
  let hash = a ^ Math.imul(b, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The draw as a whole number 0 … bound − 1. */
export function within(draw: number, bound: number): number {
  return Math.floor((draw / 0x1_0000_0000) * bound)
}

/** Picks among values in proportion to their weights (to 1/4096), in constant time. */
export type Lottery<T> = (draw: number) => T

const tickets = 4096

export function createLottery<T>(entries: readonly (readonly [value: T, weight: number])[]): Lottery<T> {
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
  let sum = 0
  const drum: T[] = []
  for (const [value, weight] of entries) {
    sum += weight
    const end = Math.round((sum / total) * tickets)
    while (drum.length < end) drum.push(value)
  }
  return draw => drum[draw >>> 20] as T
}

/** Lottery from text: `Nguyễn 38, Trần 11, Lê`; a value without weight has 1. */
export function createLotteryOf(text: string): Lottery<string> {
  return createLottery(
    text.split(',').map(entry => {
      const [, value = '', weight = '1'] = /^\s*(.*?)(?:\s+([\d.]+))?\s*$/.exec(entry) ?? []
      return [value, Number(weight)] as const
    }),
  )
}

/** A value on the line through the points, level before the first and after the last. Points ascend in x. */
export function interpolate(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const after = points.findIndex(([at]) => at > x)
  const [x1, y1] = points[(after < 0 ? points.length : after) - 1] ?? points[0] ?? [0, 0]
  const [x2, y2] = points[after] ?? [x1, y1]
  return x2 === x1 || x <= x1 ? y1 : y1 + ((x - x1) / (x2 - x1)) * (y2 - y1)
}
