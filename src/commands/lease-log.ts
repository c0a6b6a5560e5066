import type { Logger } from '@logtape/logtape'
import type { SequenceEvent } from '../core/sequence.ts'

/**
 * Logs what a person wants to know of a sequence's leases: when the store begins to fail, when the reason changes,
 * and when it is well again; not every retry.
 */
export function createLeaseLog(log: Logger, sequence: string): (event: SequenceEvent) => void {
  let fault: string | undefined
  return (event) => {
    if (event.type === 'lease-failed') {
      if (event.error.code === fault) return
      fault = event.error.code
      // An outage ends by itself; all else needs a person.
      const level = fault === 'STORE_UNAVAILABLE' ? 'warn' : 'error'
      log[level](`no lease: ${event.error.message}`, { sequence, error: fault })
      return
    }
    if (fault !== undefined) log.info('the store gives leases again', { sequence })
    fault = undefined
    log.debug('leased', {
      sequence,
      leases: event.leases.length,
      ids: event.ids,
      tookMs: Math.round(event.tookMs),
    })
  }
}
