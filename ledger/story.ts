// Exchanges that belong together: a register that asks others while it answers names the exchange it answers (`ndx-parent`). The
// story of one is that of the first of them all: each with its outcome and times, children after their parent. Who the parent
// is, the asking client says; so each chapter tells whether its client is the provider of its parent.
import { type ExchangeId } from '#bus/message.ts'
import { type ExchangeView, parentOf, stateOf, type ViewState } from './exchange-view.ts'
import { type LedgerStore } from './store.ts'

export interface Chapter {
  exchangeId: ExchangeId
  /** 0: the first of the story. */
  depth: number
  parent?: ExchangeId
  client?: string
  provider?: string
  service?: string
  traceparent?: string
  state: ViewState
  code?: string
  isDeferred: boolean
  /** Asked by another client than the one that answers the parent. */
  isForeign: boolean
  /** Epoch ms on the road's clock. */
  acceptedMs?: number
  settledMs?: number
}

/** Further up or down nobody asks; a client that says so is not followed. */
const depthMax = 8
const chaptersMax = 200

/** The story that an exchange belongs to, at most 200 chapters of it. */
export function tellStory(view: ExchangeView, store: Pick<LedgerStore, 'view' | 'children'>): Chapter[] {
  const story: Chapter[] = []
  const told = new Set<string>()
  const tell = (one: ExchangeView, depth: number, parent?: ExchangeView): void => {
    if (story.length >= chaptersMax || depth > depthMax || told.has(one.exchange)) return
    told.add(one.exchange)
    story.push(chapterOf(one, depth, parent))
    for (const child of store.children(one.exchange, chaptersMax)) tell(child, depth + 1, one)
  }
  tell(firstOf(view, store), 0)
  return story
}

function firstOf(view: ExchangeView, store: Pick<LedgerStore, 'view'>): ExchangeView {
  let first = view
  for (let steps = 0; steps < depthMax; steps++) {
    const above = store.view(parentOf(first) ?? '')
    if (above === undefined) break
    first = above
  }
  return first
}

function chapterOf(view: ExchangeView, depth: number, above: ExchangeView | undefined): Chapter {
  const { exchange, request, outcome, refused, isDeferred = false } = view
  const { client, provider, service } = request ?? refused ?? {}
  const parent = parentOf(view)
  const code = outcome?.code ?? refused?.code
  const settledMs = outcome?.settledMs ?? refused?.atMs
  return {
    exchangeId: exchange,
    depth,
    state: stateOf(view),
    isDeferred,
    isForeign: above !== undefined && client !== above.request?.provider,
    ...(parent === undefined ? {} : { parent }),
    ...(client === undefined ? {} : { client }),
    ...(provider === undefined ? {} : { provider }),
    ...(service === undefined ? {} : { service }),
    ...(request === undefined ? {} : { traceparent: request.traceparent, acceptedMs: request.acceptedMs }),
    ...(code === undefined ? {} : { code }),
    ...(settledMs === undefined ? {} : { settledMs }),
  }
}
