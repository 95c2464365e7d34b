// Searches all that a model can do, breadth first, so that the first violation comes with a shortest trace. Knows nothing of what
// is modelled. Equal states must have equal names; the search ends when no step leads to a state that was not seen before.

export interface Step<State> {
  /** What happened, as a sentence. */
  label: string
  state: State
  /** Name of an invariant that the step itself breaks, whatever the state is then. */
  breaks?: string
}

export interface Model<State> {
  first: State
  nameOf(state: State): string
  nextOf(state: State): Step<State>[]
  /** Name of an invariant that does not hold in this state. */
  brokenIn(state: State): string | undefined
  /** The same, of a state after which nothing changes any more. */
  brokenAtEnd(state: State): string | undefined
}

export interface Exploration<State> {
  states: number
  /** States after which nothing changes any more. */
  ends: number
  violation?: { invariant: string; trace: string[]; state: State }
}

interface Found<State> extends Step<State> {
  /** Place of the state that it was reached from; -1: none. */
  from: number
}

export function explore<State>({ first, nameOf, nextOf, brokenIn, brokenAtEnd }: Model<State>): Exploration<State> {
  const found: Found<State>[] = [{ label: '', state: first, from: -1 }]
  const known = new Map([[nameOf(first), 0]])
  let ends = 0
  for (let i = 0; i < found.length; i++) {
    const { state } = found[i] as Found<State>
    let isEnd = true
    for (const step of nextOf(state)) {
      const name = nameOf(step.state)
      const place = known.get(name)
      if (place !== i) isEnd = false
      const broken = step.breaks ?? (place === undefined ? brokenIn(step.state) : undefined)
      if (broken !== undefined) return violation(broken, [...traceTo(i, found), step.label], step.state)
      if (place !== undefined) continue
      known.set(name, found.length)
      found.push({ label: step.label, state: step.state, from: i })
    }
    if (!isEnd) continue
    ends++
    const broken = brokenAtEnd(state)
    if (broken !== undefined) return violation(broken, traceTo(i, found), state)
  }
  return { states: known.size, ends }

  function violation(invariant: string, trace: string[], state: State): Exploration<State> {
    return { states: known.size, ends, violation: { invariant, trace, state } }
  }
}

function traceTo<State>(last: number, found: readonly Found<State>[]): string[] {
  const trace: string[] = []
  for (let one = found[last]; one !== undefined && one.from >= 0; one = found[one.from]) trace.unshift(one.label)
  return trace
}
