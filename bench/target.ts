// What can be measured: an address to send load to, the processes that do the work, and how to count what they left behind.

/** The processes whose CPU is counted, in the order of the table. */
export const parts = ['gateway', 'adapter', 'broker', 'redis', 'ledger'] as const
export type Part = (typeof parts)[number]

export interface Target {
  name: string
  url: string
  /** Undefined: it has no such part, or one that does not run on this machine. */
  pids: Readonly<Partial<Record<Part, number | undefined>>>
  /**
   * Records ever written, by what they are; each must grow by one with every answer. NDX: the ledger's settled
   * exchanges too; peers: their audit counter.
   */
  countRecords(): Promise<Readonly<Record<string, number>>>
  stop(): Promise<void>
  /** Starts it again after a stop. Undefined: it runs until the end. */
  restart?(): Promise<void>
  /** A JVM is warm later than Node. */
  isJvm?: boolean
}
