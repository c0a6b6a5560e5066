/** Time as the core sees it: an argument, so that a fleet can be simulated in virtual time. */
export interface Clock {
  /** Milliseconds since an arbitrary start. Never runs back, whatever the system's clock does (I10). */
  now(): number
  /** Calls `callback` once, `delayMs` from now. The function it returns cancels that. */
  after(delayMs: number, callback: () => void): () => void
}
