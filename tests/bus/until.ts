// Waiting without sleeping: for a condition, with a deadline that says what was waited for.

export async function until(what: string, isMet: () => boolean | Promise<boolean>, deadlineMs = 50_000): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (!(await isMet())) {
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** Fails instead of waiting for ever. */
export async function within<T>(deadlineMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
