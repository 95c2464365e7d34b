// What an access token may be used for. A client asks for some of them, or gets all.

export const scopes = ['exchange', 'catalogue'] as const
/** exchange: ask providers · catalogue: read what may be asked. */
export type Scope = (typeof scopes)[number]

/** Tokens live at most this long, whoever issues them. */
export const tokenLifeMaxSeconds = 600

export const isScope = (value: string): value is Scope => (scopes as readonly string[]).includes(value)
