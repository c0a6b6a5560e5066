/** Every way in which asking the client for an id can fail. docs/client.md tells what to do about each. */
export type IdClientErrorCode =
  | 'ABORTED'
  | 'BAD_REQUEST'
  | 'CLOSED'
  | 'TIMEOUT'
  | 'TOO_MANY_WAITERS'
  | 'UNKNOWN_SEQUENCE'

/** The message tells a person what happened and what to do; the code is for programs. Asking again is always safe. */
export class IdClientError extends Error {
  override readonly name = 'IdClientError'
  readonly code: IdClientErrorCode

  constructor(code: IdClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What a caller gets whose own signal took the request back. */
export function aborted(signal: AbortSignal): IdClientError {
  return new IdClientError('ABORTED', 'the signal of this call was aborted', { cause: signal.reason })
}
