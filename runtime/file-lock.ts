// A lock that ends with its process, however that ends: SQLite's on a file of its own. Node itself has none.
import { DatabaseSync } from 'node:sqlite'

/** Gives what lets it go. Throws when somebody holds it, be it this process. Nothing else may open the file. */
export function holdFile(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw error
  }
  let isHeld = true
  return () => {
    if (isHeld) database.close()
    isHeld = false
  }
}
