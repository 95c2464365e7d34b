// Sends what runs have left that are gone: each under its own source and numbers, then its end, then its folder is deleted. What
// cannot be read or sent stays for the next start.

import { readLeftRun } from './left-run.ts'
import { NoteQueue } from './note-queue.ts'
import { type NoteSender } from './note-sender.ts'
import { type NoteEvents } from './notes.ts'
import { type RunFolder } from './run-folder.ts'

/** Oldest first. Never rejects. */
export async function sendLeftRuns(
  folders: readonly RunFolder[],
  { deliver }: Pick<NoteSender, 'deliver'>,
  onLeftRun: NoteEvents['leftRun'],
): Promise<void> {
  for (const folder of folders) {
    try {
      onLeftRun(folder.source, await sendRun(folder, deliver))
      folder.remove()
    } catch (error) {
      onLeftRun(folder.source, 0, error)
      folder.release()
    }
  }
}

/** Gives back how many notes there were. */
async function sendRun({ source, path }: RunFolder, deliver: NoteSender['deliver']): Promise<number> {
  const queue = new NoteQueue()
  const sendAll = async (): Promise<void> => {
    for (let batch = queue.batch(); batch !== undefined; batch = queue.batch()) {
      await deliver({ source, ...batch })
      queue.drop(batch.notes.length)
    }
  }
  const run = readLeftRun(path)
  let entry = run.next()
  for (; entry.done !== true; entry = run.next()) {
    queue.push(entry.value)
    if (queue.hasFullBatch) await sendAll()
  }
  await sendAll()
  const { value: next } = entry
  if (next > 0) await deliver({ source, first: next, notes: [], isLast: true })
  return queue.pushed
}
