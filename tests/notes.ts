// What a world's gateway has noted, when all of it is on the bus.
import { isNote, type Note, readNotes } from '#bus/note.ts'
import { noteTopic } from '#bus/topics.ts'
import { until } from '#tests/bus/until.ts'
import { type Published, type World } from '#tests/world.ts'

export async function notesOf(world: World): Promise<Note[]> {
  const areSent = async (): Promise<boolean> =>
    (await world.operations('/metrics')).text.includes('\nndx_notes_waiting 0\n')
  await until('all notes are sent', areSent)
  return readPublished(world.published)
}

export const readPublished = (published: readonly Published[]): Note[] =>
  published
    .filter(({ topic }) => topic === noteTopic)
    .map(({ topic, record: { value, headers } }) =>
      readNotes({ topic, partition: 0, offset: '0', timestampMs: 0, key: null, headers, value: Buffer.from(value) }),
    )
    .flatMap(({ notes }) => notes.filter(isNote))
