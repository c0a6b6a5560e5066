import { SequenceError } from '../../core/errors.ts'

/** How ids are written: JSON numbers, JSON strings, or bare decimal text with one id a line. */
export type IdFormat = 'json' | 'string' | 'text'

/** What a request for ids asks for. Without `count` the answer holds one id and no list. */
export interface IdRequest {
  readonly count: number | undefined
  readonly format: IdFormat
}

/**
 * Reads `count` and `format` from the parameters of a request, and the format from `Accept` when no parameter
 * names it. Throws BAD_REQUEST that names the limit.
 */
export function readIdRequest(
  params: URLSearchParams,
  accept: string | undefined,
  countMax: number,
): IdRequest {
  return { count: readCount(params, countMax), format: readFormat(params, accept) }
}

/** The format that `Accept` asks for: text where it names text/plain but not JSON, as `axios` names both. */
export function acceptedFormat(accept: string | undefined): 'json' | 'text' {
  return accept?.includes('text/plain') && !accept.includes('application/json') ? 'text' : 'json'
}

function readCount(params: URLSearchParams, countMax: number): number | undefined {
  const text = params.get('count')
  if (text === null) return undefined
  const count = Number(text)
  if (!/^\d{1,9}$/.test(text) || count < 1 || count > countMax)
    throw new SequenceError('BAD_REQUEST', `count must be a whole number from 1 to ${countMax}`)
  return count
}

function readFormat(params: URLSearchParams, accept: string | undefined): IdFormat {
  const format = params.get('format')
  if (format === null) return acceptedFormat(accept)
  if (format !== 'json' && format !== 'string' && format !== 'text')
    throw new SequenceError('BAD_REQUEST', 'format must be json, string or text')
  return format
}
