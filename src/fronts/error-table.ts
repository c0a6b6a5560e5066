import type { ErrorCode } from '../core/errors.ts'

interface Presentation {
  /** HTTP status. 503 tells a load balancer to ask another instance. */
  readonly httpStatus: 400 | 404 | 409 | 500 | 503
}

/** How each error code leaves on the wire. docs/api.md shows this table; a test compares the two. */
export const errorTable: Readonly<Record<ErrorCode, Presentation>> = {
  BAD_REQUEST: { httpStatus: 400 },
  EXHAUSTED: { httpStatus: 503 },
  REGRESSED: { httpStatus: 503 },
  RULE_FAILED: { httpStatus: 500 },
  SEQUENCE_EXISTS: { httpStatus: 409 },
  SHUTTING_DOWN: { httpStatus: 503 },
  STEP_MISMATCH: { httpStatus: 503 },
  STORE_MISCONFIGURED: { httpStatus: 503 },
  STORE_UNAVAILABLE: { httpStatus: 503 },
  TOO_MANY_SEQUENCES: { httpStatus: 503 },
  TOO_MANY_WAITERS: { httpStatus: 503 },
  UNKNOWN_RULE: { httpStatus: 404 },
  UNKNOWN_SEQUENCE: { httpStatus: 404 },
  WAIT_TIMEOUT: { httpStatus: 503 },
}
