import { SequenceError } from '../../core/errors.ts'
import type { Sequence } from '../../core/sequence.ts'
import type { Sequences } from '../../core/sequences.ts'
import { acceptedFormat } from './id-request.ts'
import { answerIds, answerOneId, type Dialect, failureReply, withIdRequest } from './ids.ts'
import { errorHeaders, jsonHeaders, type Reply } from './reply.ts'

/** As the older servers of `segments` word it: their clients know status 500 and these messages. */
function dialectOf(field: 'id' | 'left'): Dialect {
  return {
    opening: '{"resp_code":0,"msg":"success",',
    closing: '}',
    failure: (error) => ({
      status: error.code === 'BAD_REQUEST' ? 400 : 500,
      headers: errorHeaders(error),
      body: `{"resp_code":-1,"msg":${JSON.stringify(messageOf(error))},"${field}":0}`,
    }),
  }
}

const dialect = dialectOf('id')
const healthDialect = dialectOf('left')

function messageOf(error: SequenceError): string {
  switch (error.code) {
    case 'BAD_REQUEST':
      return error.message
    case 'UNKNOWN_SEQUENCE':
      return 'app_tag not found'
    default:
      return 'no available id'
  }
}

/**
 * Answers `/alloc`: one id of the sequence that `app_tag` names, or `count` of them. `query` holds the parameters,
 * of the target or of a form. Synchronous while the sequence is in memory and holds ids.
 */
export function answerAlloc(
  sequences: Sequences,
  query: string,
  accept: string | undefined,
  countMax: number,
): Reply | Promise<Reply> {
  const plainTag = plainTagOf(query)
  if (plainTag !== undefined && acceptedFormat(accept) === 'json') {
    const sequence = sequences.held(plainTag)
    if (sequence !== undefined) return answerOneId(sequence, dialect)
  }
  const params = new URLSearchParams(query)
  const tag = params.get('app_tag')
  if (!tag) return tagMissing('id')
  return withIdRequest(params, accept, countMax, dialect, (request) => {
    const sequence = sequences.held(tag)
    if (sequence !== undefined) return answerIds(sequence, request, dialect)
    return sequences.find(tag).then(
      (found) => answerIds(found, request, dialect),
      (error: unknown) => failureReply(error, dialect, request.format),
    )
  })
}

/** Answers `/health`: how many ids of a sequence are in memory. One that is not in memory is loaded. */
export async function answerHealth(sequences: Sequences, query: string): Promise<Reply> {
  const tag = new URLSearchParams(query).get('app_tag')
  if (!tag) return tagMissing('left')
  try {
    const sequence: Sequence = await sequences.find(tag)
    await sequence.ready()
    return {
      status: 200,
      headers: jsonHeaders,
      body: `${healthDialect.opening}"left":${sequence.left}${healthDialect.closing}`,
    }
  } catch (error) {
    return failureReply(error, healthDialect, 'json')
  }
}

function tagMissing(field: 'id' | 'left'): Reply {
  return {
    status: 500,
    headers: { ...jsonHeaders, 'seqsvr-error': 'BAD_REQUEST' },
    body: `{"resp_code":-1,"msg":"need app_tag param","${field}":0}`,
    error: new SequenceError('BAD_REQUEST', 'need app_tag param'),
  }
}

const PLAIN_QUERY = 'app_tag='

/** The tag of a query that holds nothing else and needs no decoding, as most do: a slice instead of a parser. */
function plainTagOf(query: string): string | undefined {
  if (!query.startsWith(PLAIN_QUERY) || /[%+&]/.test(query)) return undefined
  return query.slice(PLAIN_QUERY.length)
}
