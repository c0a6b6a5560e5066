import type { ErrorCode } from '../core/errors.ts'
import type { DatagramCounts } from './status.ts'

/** What a front counts. The figures of `FrontStatus` come from it, and faults where the failures are the instance's own. */
export interface FrontFigures {
  readonly issued: number
  readonly failures: ReadonlyMap<ErrorCode, FailureCount>
  readonly connections: number | null
  readonly connectionsRefused: number | null
  readonly datagrams: DatagramCounts | null
}

export interface FailureCount {
  /** Of the last one. */
  readonly message: string
  readonly firstAtMs: number
  readonly atMs: number
  readonly times: number
}
