import type { SequenceError } from '../../core/errors.ts'
import { errorTable } from '../error-table.ts'

/** An answer before it meets a socket: what Hono's routes turn into a Response. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How many ids it hands out. */
  readonly ids?: number
  /** Why it hands out none that were asked for. */
  readonly error?: SequenceError | undefined
}

/** Ids must never be answered from a cache: that would be the same id twice (I1). */
export const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const
export const textHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
} as const

/** Seconds after which a client may ask again: outages that end by themselves are looked at several times a second. */
export const RETRY_AFTER_S = '1'

/** Headers of the answer to a failed request: they name the error for programs. */
export function errorHeaders({ code }: SequenceError): Record<string, string> {
  const headers: Record<string, string> = { ...jsonHeaders, 'seqsvr-error': code }
  if (errorTable[code].httpStatus === 503) headers['retry-after'] = RETRY_AFTER_S
  return headers
}

/** The body of every failed request outside the dialects of the older servers. */
export function failureBody(message: string): string {
  return JSON.stringify({ code: -1, msg: message, data: null })
}
