import { SequenceError } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import type { Sequence } from '../../core/sequence.ts'
import { acceptedFormat, type IdFormat, type IdRequest, readIdRequest } from './id-request.ts'
import { idText } from './id-text.ts'
import { jsonHeaders, type Reply, textHeaders } from './reply.ts'

/** How a family of routes words its answers in JSON: each older server had its own way, and clients rely on it. */
export interface Dialect {
  /** What stands around the fields `"id":…` and `"ids":[…]` of a success. */
  readonly opening: string
  readonly closing: string
  /** The whole answer to a failed request, in JSON. */
  readonly failure: (error: SequenceError) => Reply
}

/** Answers with one id, plainly. Synchronous while the sequence holds ids. Hot path. */
export function answerOneId(sequence: Sequence, dialect: Dialect): Reply | Promise<Reply> {
  const id = sequence.take()
  if (typeof id !== 'object') return oneId(id, dialect)
  return id.then(
    (late) => oneId(late, dialect),
    (error: unknown) => failureReply(error, dialect, 'json'),
  )
}

/** Answers with what the parameters ask for: `count` ids, all or nothing, in a format. */
export function answerIds(sequence: Sequence, request: IdRequest, dialect: Dialect): Reply | Promise<Reply> {
  const ids = sequence.takeMany(request.count ?? 1)
  if (Array.isArray(ids)) return manyIds(ids, request, dialect)
  return ids.then(
    (late) => manyIds(late, request, dialect),
    (error: unknown) => failureReply(error, dialect, request.format),
  )
}

/**
 * Reads what a request asks for and has `answer` answer it; what is wrong with the request becomes the reply.
 */
export function withIdRequest(
  params: URLSearchParams,
  accept: string | undefined,
  countMax: number,
  dialect: Dialect,
  answer: (request: IdRequest) => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  let request: IdRequest
  try {
    request = readIdRequest(params, accept, countMax)
  } catch (error) {
    const format = params.get('format') === 'text' ? 'text' : acceptedFormat(accept)
    return failureReply(error, dialect, format)
  }
  return answer(request)
}

/** The answer to a request that failed. Anything but an operating error is a bug and is thrown on. */
export function failureReply(error: unknown, dialect: Dialect, format: IdFormat): Reply {
  if (!(error instanceof SequenceError)) throw error
  const reply = { ...dialect.failure(error), error }
  if (format !== 'text') return reply
  return {
    ...reply,
    headers: { ...reply.headers, ...textHeaders },
    body: `${error.code}: ${error.message}\n`,
  }
}

// Bodies are concatenated, not serialised: JSON.stringify knows no bigint, and their bytes are a contract.

function oneId(id: Id, { opening, closing }: Dialect): Reply {
  return { status: 200, headers: jsonHeaders, body: `${opening}"id":${idText(id)}${closing}`, ids: 1 }
}

function manyIds(ids: readonly Id[], { count, format }: IdRequest, { opening, closing }: Dialect): Reply {
  const texts = ids.map(idText)
  if (format === 'text')
    return { status: 200, headers: textHeaders, body: `${texts.join('\n')}\n`, ids: ids.length }
  const quote = format === 'string' ? '"' : ''
  const list = count === undefined ? '' : `,"ids":[${quote}${texts.join(`${quote},${quote}`)}${quote}]`
  const body = `${opening}"id":${quote}${texts[0]}${quote}${list}${closing}`
  return { status: 200, headers: jsonHeaders, body, ids: ids.length }
}
