// What the road has to say about itself. Never a key, a header or a value of a record.

export type BusLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void

export const silent: BusLog = () => {}
