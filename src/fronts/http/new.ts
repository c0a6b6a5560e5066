import { SequenceError } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import type { Sequence } from '../../core/sequence.ts'
import { errorTable } from '../error-table.ts'
import { acceptedFormat, type IdFormat, readIdRequest } from './id-request.ts'
import { jsonHeaders, RETRY_AFTER_S, type Reply, textHeaders } from './reply.ts'

/**
 * Answers `/new`: one id of the generator, or `count` of them, all or nothing. `query` is the part of the target
 * after `?`, empty when there is none. Synchronous while the generator holds ids.
 */
export function answerNew(
  generator: Sequence,
  query: string,
  accept: string | undefined,
  countMax: number,
): Reply | Promise<Reply> {
  if (query === '' && acceptedFormat(accept) === 'json') {
    const id = generator.take()
    return typeof id === 'object' ? id.then(oneId, failure) : oneId(id)
  }
  try {
    const { count, format } = readIdRequest(new URLSearchParams(query), accept, countMax)
    const ids = generator.takeMany(count ?? 1)
    const render = (ids: Id[]) => (count === undefined ? oneId(ids[0] as Id, format) : manyIds(ids, format))
    const renderFailure = (error: unknown) => failure(error, format)
    return Array.isArray(ids) ? render(ids) : ids.then(render, renderFailure)
  } catch (error) {
    return failure(error)
  }
}

/** The answer to a request that failed. Anything but an operating error is a bug and is thrown on. */
export function failure(error: unknown, format: IdFormat = 'json'): Reply {
  if (!(error instanceof SequenceError)) throw error
  const status = errorTable[error.code].httpStatus
  const message = `${error.code}: ${error.message}`
  const headers = format === 'text' ? textHeaders : jsonHeaders
  return {
    status,
    headers: status === 503 ? { ...headers, 'retry-after': RETRY_AFTER_S } : headers,
    body: format === 'text' ? `${message}\n` : failureBody(message),
  }
}

/** The body of every failed request outside the older servers' contracts. */
export function failureBody(message: string): string {
  return JSON.stringify({ code: -1, msg: message, data: null })
}

// Bodies are concatenated, not serialised: JSON.stringify knows no bigint, and their bytes are a contract.

function oneId(id: Id, format: IdFormat = 'json'): Reply {
  if (format === 'text') return { status: 200, headers: textHeaders, body: `${id}\n` }
  return {
    status: 200,
    headers: jsonHeaders,
    body: `{"code":0,"msg":"ok","data":{"id":${quoted(id, format)}}}`,
  }
}

function manyIds(ids: Id[], format: IdFormat): Reply {
  if (format === 'text') return { status: 200, headers: textHeaders, body: `${ids.join('\n')}\n` }
  const list = format === 'string' ? `"${ids.join('","')}"` : ids.join(',')
  const body = `{"code":0,"msg":"ok","data":{"id":${quoted(ids[0] as Id, format)},"ids":[${list}]}}`
  return { status: 200, headers: jsonHeaders, body }
}

function quoted(id: Id, format: IdFormat): string {
  return format === 'string' ? `"${id}"` : `${id}`
}
