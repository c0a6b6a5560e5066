import type { ErrorCode } from '../../../core/errors.ts'

/** What each error code tells, as docs/api.md words it; a test compares the two. */
export const errorMeanings: Readonly<Record<ErrorCode, string>> = {
  BAD_REQUEST: 'a parameter is out of range; the message names the limit',
  EXHAUSTED: 'no id is left: below 2^63, or in a narrower column',
  REGRESSED: 'the store went backwards (I3)',
  RULE_FAILED:
    'the script of a rule failed, ran too long or returned something else than a string or a number; or it had to be ended so often that it is started again only after a pause',
  SEQUENCE_EXISTS: 'the sequence to be made exists; nothing was changed',
  SHUTTING_DOWN: 'this instance ends',
  STEP_MISMATCH: 'the store was given another `step` or `first` (I7)',
  STORE_MISCONFIGURED: 'a person must act: password, rights, tables, an absurd row',
  STORE_UNAVAILABLE: 'the store is out, slow or read only',
  TOO_MANY_SEQUENCES: 'this instance holds `sequences_max` sequences',
  TOO_MANY_WAITERS: '`waiters_max` requests wait for the store already',
  UNKNOWN_RULE: 'there is no rule of this name in the configuration',
  UNKNOWN_SEQUENCE: 'there is no sequence of this name',
  WAIT_TIMEOUT: 'no id came within `wait_ms_max`',
}
