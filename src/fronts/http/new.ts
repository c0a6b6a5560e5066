import type { Sequence } from '../../core/sequence.ts'
import { errorTable } from '../error-table.ts'
import { acceptedFormat } from './id-request.ts'
import { answerIds, answerOneId, type Dialect, withIdRequest } from './ids.ts'
import { errorHeaders, failureBody, type Reply } from './reply.ts'

/** As the older server of `generator_table` words it. */
const dialect: Dialect = {
  opening: '{"code":0,"msg":"ok","data":{',
  closing: '}}',
  failure: (error) => ({
    status: errorTable[error.code].httpStatus,
    headers: errorHeaders(error),
    body: failureBody(`${error.code}: ${error.message}`),
  }),
}

/**
 * Answers `/new`: one id of the generator, or `count` of them. `query` is the part of the target after `?` (and the
 * form of a POST), empty when there is none. Synchronous while the generator holds ids.
 */
export function answerNew(
  generator: Sequence,
  query: string,
  accept: string | undefined,
  countMax: number,
): Reply | Promise<Reply> {
  if (query === '' && acceptedFormat(accept) === 'json') return answerOneId(generator, dialect)
  return withIdRequest(new URLSearchParams(query), accept, countMax, dialect, (request) =>
    answerIds(generator, request, dialect),
  )
}
