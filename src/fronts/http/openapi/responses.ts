import type { ErrorCode } from '../../../core/errors.ts'
import { errorTable } from '../../error-table.ts'
import { jsonHeaders, RETRY_AFTER_S, textHeaders } from '../reply.ts'
import { ref } from './schemas.ts'
import type { Content, Header, ResponseObject, Responses, Schema } from './types.ts'

export const JSON_TYPE = jsonHeaders['content-type']
export const TEXT_TYPE = textHeaders['content-type']

type Headers = ResponseObject['headers']

/** A header that is always there, and always the same. */
export function constant(value: string, description?: string): Header {
  return { ...(description && { description }), required: true, schema: { type: 'string', const: value } }
}

export const uncached: Headers = { 'Cache-Control': constant(jsonHeaders['cache-control']) }
const retryAfter = constant(RETRY_AFTER_S, 'Seconds.')

/** The header that names the error, one of `codes`. */
export function errorCode(codes: readonly ErrorCode[], required = true): Headers {
  const header: Header = {
    description: 'The code of the error, for programs.',
    required,
    schema: { allOf: [ref('ErrorCode')], enum: codes },
  }
  return { 'seqsvr-error': header }
}

/** A JSON body with examples by their names. */
export function json(schema: Schema, examples: Readonly<Record<string, unknown>> = {}): Content {
  return { [JSON_TYPE]: { schema, ...named(examples) } }
}

/** A body of plain text. */
export function text(schema: Schema, examples: Readonly<Record<string, string>> = {}): Content {
  return { [TEXT_TYPE]: { schema, ...named(examples) } }
}

function named(values: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(values).map(([name, value]) => [name, { value }] as const)
  return entries.length === 0 ? {} : { examples: Object.fromEntries(entries) }
}

/** An answer that must not be cached, as all are that tell of ids. */
export function answer(description: string, content: Content, headers: Headers = {}): ResponseObject {
  return { description, headers: { ...uncached, ...headers }, content }
}

/** 503 whatever its reason: it comes with `Retry-After`. */
export function unavailable(description: string, content: Content, headers: Headers = {}): ResponseObject {
  return answer(description, content, { 'Retry-After': retryAfter, ...headers })
}

/**
 * The answers to requests that failed with one of `codes`: one for each status that `statusesOf` gives them, with a body as
 * `contentOf` has it.
 */
export function failures(
  codes: readonly ErrorCode[],
  contentOf: (codes: readonly ErrorCode[], status: number) => Content,
  statusesOf: (code: ErrorCode) => readonly number[] = (code) => [errorTable[code].httpStatus],
): Responses {
  const responses: Record<string, ResponseObject> = {}
  for (const status of new Set(codes.flatMap(statusesOf))) {
    const those = codes.filter((code) => statusesOf(code).includes(status))
    const description = those.map((code) => `\`${code}\``).join(', ')
    // Whatever its status here, an error that another instance may not have carries Retry-After.
    const isRetryable = (code: ErrorCode) => errorTable[code].httpStatus === 503
    responses[status] = answer(description, contentOf(those, status), {
      ...errorCode(those),
      ...(those.some(isRetryable) && {
        'Retry-After': { ...retryAfter, required: those.every(isRetryable) },
      }),
    })
  }
  return responses
}

/** The body of a failure outside the dialects of the older servers. */
export function failure(message: string): Content {
  return json(ref('Failure'), { failure: { code: -1, msg: message, data: null } })
}

/** What every operation has besides: it was refused before anything was looked at. */
export const refused: Responses = {
  default: answer(
    'Refused before anything was looked at: 405 for a method that the path does not take, with those that it takes in `Allow`.',
    failure('method not allowed; /livez takes GET, HEAD, OPTIONS'),
    { Allow: { required: false, schema: { type: 'string' } } },
  ),
}

/** A POST whose body is larger than what is read. */
export function tooLarge(what: 'form' | 'body', bytesMax: number): Responses {
  return {
    413: answer(
      `The ${what} is larger than ${bytesMax} bytes.`,
      failure(`the ${what} is too large: at most ${bytesMax} bytes`),
    ),
  }
}
