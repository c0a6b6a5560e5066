import type { SequenceStatus } from '../../src/status/status.ts'

/** A sequence that has done nothing yet, but for what is given. */
export function sequenceStatus(given: Partial<SequenceStatus>): SequenceStatus {
  return {
    name: null,
    left: 0,
    leftInLease: 0,
    leaseIds: 0,
    ahead: 0,
    issued: 0,
    waiting: 0,
    fault: null,
    next: null,
    leasedTo: null,
    idsPerSecond: [],
    leases: [],
    ...given,
  }
}
