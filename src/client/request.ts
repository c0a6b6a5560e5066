import type { Id } from '../core/id.ts'
import { IdClientError } from './errors.ts'

/** What came of asking one server. */
export type Answer =
  | { readonly kind: 'ids'; readonly ids: readonly Id[] }
  /** Another server, or this one later, may do better. */
  | { readonly kind: 'failed'; readonly why: string; readonly retryAfterMs: number }
  /** The server gives fewer ids at once. */
  | { readonly kind: 'too many'; readonly countMax: number }
  /** Asking again, or elsewhere, changes nothing until a person does something. */
  | { readonly kind: 'refused'; readonly error: IdClientError }

/**
 * Asks a server for `count` ids, once. Never rejects. Ids are taken from a whole and correct answer only: whatever
 * else a server may have given is a gap (I2).
 */
export async function requestIds(target: string, count: number, signal: AbortSignal): Promise<Answer> {
  let response: Response
  let body: string
  try {
    // POST, because nothing on the way may cache or repeat it. A redirect would turn it into a GET.
    response = await fetch(target + count, { method: 'POST', redirect: 'error', signal })
    body = await response.text()
  } catch (error) {
    return failed(target, describe(error))
  }
  if (response.ok) {
    const ids = parseIds(body, count)
    return ids === undefined
      ? failed(target, `an answer that is not ${count} ids: ${excerpt(body)}`)
      : { kind: 'ids', ids }
  }
  const why = excerpt(body) || `status ${response.status}`
  switch (response.headers.get('seqsvr-error')) {
    case 'BAD_REQUEST': {
      const countMax = Number(/\bcount\b.* from 1 to (\d+)/.exec(body)?.[1])
      if (countMax >= 1 && countMax < count) return { kind: 'too many', countMax }
      return { kind: 'refused', error: new IdClientError('BAD_REQUEST', why) }
    }
    case 'UNKNOWN_SEQUENCE':
      return { kind: 'refused', error: new IdClientError('UNKNOWN_SEQUENCE', why) }
    default:
      return failed(target, why, retryAfterMs(response.headers.get('retry-after')))
  }
}

function failed(target: string, why: string, afterMs = 0): Answer {
  return { kind: 'failed', why: `${new URL(target).origin}: ${why}`, retryAfterMs: afterMs }
}

/** The ids of a body with one a line, or undefined where it is anything but `count` increasing ids. */
function parseIds(body: string, count: number): Id[] | undefined {
  const lines = body.split('\n')
  if (lines.length !== count + 1 || lines.pop() !== '') return undefined
  const ids: Id[] = new Array(count)
  let last: Id = -1
  for (const [i, line] of lines.entries()) {
    if (!/^\d{1,19}$/.test(line)) return undefined
    const number = Number(line)
    // Exact on both sides of 2^53 (I6).
    const id = Number.isSafeInteger(number) ? number : BigInt(line)
    if (id <= last) return undefined
    last = id
    ids[i] = id
  }
  return ids
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000
  return ms > 0 ? ms : 0
}

function describe(error: unknown): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  // Node says no more than "fetch failed" itself. One with several addresses has a code and no message.
  return `${message}: ${cause.message || (cause as { code?: string }).code}`
}

const EXCERPT_LENGTH = 200

function excerpt(body: string): string {
  return body.trim().slice(0, EXCERPT_LENGTH)
}
