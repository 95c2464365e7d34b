// The newest head of this log on the bus, where everybody may read it and anybody may write: only what the log's own key signed
// counts, everything else is passed over. Bounded: it looks at the last records of the topic, not at all of them.
import { type Bus } from '#bus/bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { openCheckpoint, type SignedCheckpoint } from './notes/checkpoint.ts'
import { type VerifierKey } from './notes/keys.ts'
import { NoteError, noteBytesMax } from './notes/note.ts'

/** Records of others, or unreadable ones, after which no head of ours is looked for. */
const lookedAtMax = 1_000

export interface PublishedHead extends SignedCheckpoint {
  note: string
}

/** Undefined: there is none among the last. Rejects with RoadError when the bus is away. */
export async function readPublishedHead(
  bus: Pick<Bus, 'readAt' | 'endOf'>,
  logKey: VerifierKey,
): Promise<PublishedHead | undefined> {
  const end = await bus.endOf(checkpointTopic, 0)
  for (let offset = end - 1; offset >= Math.max(0, end - lookedAtMax); offset--) {
    const record = await bus.readAt(checkpointTopic, 0, String(offset))
    if (record === undefined) return undefined
    const head = openOwn(record.value, logKey)
    if (head !== undefined) return head
  }
  return undefined
}

function openOwn(value: Buffer, logKey: VerifierKey): PublishedHead | undefined {
  if (value.length > noteBytesMax) return undefined
  try {
    const note = value.toString('utf8')
    return { ...openCheckpoint(note, [logKey]), note }
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}
