/** Every way in which asking for an id can fail. docs/api.md tells users what to do about each. */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'EXHAUSTED'
  | 'REGRESSED'
  | 'RULE_FAILED'
  | 'SEQUENCE_EXISTS'
  | 'SHUTTING_DOWN'
  | 'STEP_MISMATCH'
  | 'STORE_MISCONFIGURED'
  | 'STORE_UNAVAILABLE'
  | 'TOO_MANY_SEQUENCES'
  | 'TOO_MANY_WAITERS'
  | 'UNKNOWN_RULE'
  | 'UNKNOWN_SEQUENCE'
  | 'WAIT_TIMEOUT'

/** An operating error. The message tells a person what happened and what to do; the code is for programs. */
export class SequenceError extends Error {
  override readonly name = 'SequenceError'
  readonly code: ErrorCode
  /** With REGRESSED: ids below this may be in use although the store has forgotten them. */
  readonly floor: bigint | undefined

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; floor?: bigint }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.floor = options?.floor
  }
}

/** What requests get that an instance cannot serve any more because it ends. */
export function shuttingDown(): SequenceError {
  return new SequenceError('SHUTTING_DOWN', 'this instance is shutting down; ask another one')
}

export function unknownSequence(name: string): SequenceError {
  return new SequenceError('UNKNOWN_SEQUENCE', `there is no sequence ${JSON.stringify(name)}`)
}
