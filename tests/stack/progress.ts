// Says on stderr, one line each, what is taking long, so that nobody watches a silent terminal.

const patienceMs = 2_000

export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Awaits the task and says the line only if the task takes longer than two seconds. */
export async function announce<T>(line: string, task: Promise<T>): Promise<T> {
  const timer = setTimeout(() => say(`${line} …`), patienceMs)
  return task.finally(() => clearTimeout(timer))
}

/** Rejects when the task has not ended in time; the task itself goes on, since a promise cannot be stopped. */
export async function withDeadline<T>(what: string, deadlineMs: number, task: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what}: not done within ${deadlineMs / 1_000} s`)), deadlineMs)
  return Promise.race([task, late]).finally(() => clearTimeout(timer))
}
