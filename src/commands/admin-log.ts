import type { Logger } from '@logtape/logtape'
import type { AdminEvent } from '../fronts/http/admin.ts'

/** Wrong tokens are told of once in this time, however many come (I9). */
const WRONG_TOKEN_MS = 60_000

/** Logs what a person changes by way of the admin API or the page, and that somebody tries wrong tokens. */
export function createAdminLog(log: Logger, now: () => number): (event: AdminEvent) => void {
  let untoldUntilMs = Number.NEGATIVE_INFINITY
  let untold = 0
  return (event) => {
    if (event.type !== 'wrong token') {
      const { type, by, name, numbers } = event
      log.info(`${type} ${name === null ? 'all sequences' : JSON.stringify(name)} by the ${by}`, {
        ...(name !== null && { sequence: name }),
        ...numbers,
      })
      return
    }
    if (now() < untoldUntilMs) {
      untold++
      return
    }
    log.warn(`a wrong admin token came by the ${event.by}`, { untold })
    untoldUntilMs = now() + WRONG_TOKEN_MS
    untold = 0
  }
}
