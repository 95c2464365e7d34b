// Tokens whose signature was checked, until they expire; past so many the oldest is forgotten and checked again.
export interface Claims {
  client_id: string
  jti: string
  scope: string
  iat: number
  exp: number
}

export interface VerifiedTokens {
  /** Also when it has expired. */
  find(token: string): Claims | undefined
  keep(token: string, claims: Claims): void
  drop(token: string): void
}

const tokensMax = 10_000

export function createVerifiedTokens(): VerifiedTokens {
  const kept = new Map<string, Claims>()
  return {
    find: token => kept.get(token),
    keep(token, claims) {
      if (kept.size >= tokensMax) kept.delete(kept.keys().next().value as string)
      kept.set(token, claims)
    },
    drop: token => void kept.delete(token),
  }
}
