/** An answer before it meets a socket: what Hono's routes turn into a Response. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Ids must never be answered from a cache: that would be the same id twice (I1). */
export const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const
export const textHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
} as const

/** Seconds after which a client may ask again: outages that end by themselves are looked at several times a second. */
export const RETRY_AFTER_S = '1'
