// A queue that takes from the front without moving the rest: an array and where it begins.
// Not bounded by itself: whoever fills it checks `length` first.

const compactAbove = 1024

export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (this.#head === this.#items.length) return undefined
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head > compactAbove && this.#head * 2 > this.#items.length) this.#compact()
    return item
  }

  /** The first items, at most `max`, taken out. */
  take(max: number): T[] {
    const end = Math.min(this.#head + max, this.#items.length)
    const taken = this.#items.slice(this.#head, end) as T[]
    this.#items.fill(undefined, this.#head, end)
    this.#head = end
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head > compactAbove && this.#head * 2 > this.#items.length) this.#compact()
    return taken
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
