// A question's own dice: thrown one after another, the same for the same seed and question whatever was thrown elsewhere.
import { type Chance, within } from '#nation/chance.ts'

export interface Draws {
  /** The next draw, 0 … bound − 1. */
  below(bound: number): number
  pick<T>(values: readonly T[]): T
  /** With so many chances in a hundred. */
  percent(chances: number): boolean
}

/** `topic` keeps apart what is drawn for one question by different parts of the simulation. */
export function createDraws(chance: Chance, number: number, topic: number): Draws {
  let throws = 0
  const below = (bound: number): number => within(chance.draw(number, topic + throws++), bound)
  return {
    below,
    pick: values => values[below(values.length)] as (typeof values)[number],
    percent: chances => below(10_000) < chances * 100,
  }
}
