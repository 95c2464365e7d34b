// Which version of a key is used when. A version is named after the month (UTC+7) in which its use begins, `yyyymm`; one that
// replaces it within the month has a letter, `yyyymmb`. Names sort in the order of use. Reads no file and no clock of its own.

/** Keys by version. A plain Map will do; what is read from files comes with `refresh`. */
export interface KeySource {
  get(version: string): Buffer | undefined
  keys(): Iterable<string>
  /** Looks for versions that came or went; says what went wrong. Cheap to call often. Never throws. */
  refresh?(nowMs: number): string | undefined
}

export interface Keyring<Made> {
  /** What is used now. Never fails for a version that is missing: then the newest there is is used. */
  current(): { version: string; made: Made }
  /** What belongs to a version; undefined: there is no key for it, or no more. */
  find(version: string): Made | undefined
  /** In the order of use. */
  readonly versions: readonly string[]
}

export interface KeyringOptions<Made> {
  keys: KeySource
  /** Epoch ms. */
  now(): number
  make(key: Buffer): Made
  /** Another version is used than should be, or the keys cannot be read. Once a minute at most, while it lasts. */
  onTrouble?(reason: string, used: string): void
}

export const keyBytesMin = 32
const lookAgainMs = 60_000
const hourMs = 3_600_000
const versionForm = /^\d{4}(0[1-9]|1[0-2])[b-z]?$/

export const isVersion = (name: string): boolean => versionForm.test(name)

/** `yyyymm` in UTC+7. */
export const monthOf = (nowMs: number): string =>
  new Date(nowMs + 7 * hourMs).toISOString().slice(0, 7).replace('-', '')

/** Epoch ms at which the month after this one begins. */
export function nextMonthMs(nowMs: number): number {
  const local = new Date(nowMs + 7 * hourMs)
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - 7 * hourMs
}

/** The newest version that has begun; when none has, the first to begin. */
export function versionAt(nowMs: number, versions: Iterable<string>): string | undefined {
  const sorted = [...versions].toSorted()
  const month = monthOf(nowMs)
  return sorted.findLast(version => version.slice(0, 6) <= month) ?? sorted[0]
}

/** Throws when there is no key, or a key is too short. */
export function createKeyring<Made>({ keys, now, make, onTrouble = () => {} }: KeyringOptions<Made>): Keyring<Made> {
  const made = new Map<string, Made>()
  let used: { version: string; made: Made } | undefined
  let lookedMs = 0
  let lookAtMs = 0

  function find(version: string): Made | undefined {
    const key = keys.get(version)
    if (key === undefined) {
      made.delete(version)
      return undefined
    }
    if (key.length < keyBytesMin) throw new Error(`the pseudonym key ${version} needs at least ${keyBytesMin} bytes`)
    const found = made.get(version) ?? make(key)
    made.set(version, found)
    return found
  }

  function look(nowMs: number): { version: string; made: Made } {
    const fault = keys.refresh?.(nowMs)
    for (const version of made.keys()) find(version)
    const version = versionAt(nowMs, keys.keys())
    const found = version === undefined ? undefined : find(version)
    // All keys gone under a running process: better the one that it knows than none.
    if (version !== undefined && found !== undefined) used = { version, made: found }
    if (used === undefined) throw new Error('there is no pseudonym key; `npx ndx secrets` makes one')
    lookedMs = nowMs
    lookAtMs = Math.min(nowMs + lookAgainMs, nextMonthMs(nowMs))
    const isOwed = used.version.slice(0, 6) !== monthOf(nowMs)
    const reason = fault ?? (isOwed ? `there is no pseudonym key for ${monthOf(nowMs)}` : undefined)
    if (reason !== undefined) onTrouble(reason, used.version)
    return used
  }

  look(now())
  return {
    current() {
      const nowMs = now()
      return used === undefined || nowMs >= lookAtMs || nowMs < lookedMs ? look(nowMs) : used
    },
    find(version) {
      const found = find(version)
      if (found !== undefined) return found
      keys.refresh?.(now())
      return find(version)
    },
    get versions() {
      return [...keys.keys()].toSorted()
    },
  }
}
