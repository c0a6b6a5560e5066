import type { ErrorCode } from '../../../core/errors.ts'
import { NAME_LENGTH_MAX } from '../../../core/limits.ts'
import { APP_NAME_LENGTH_MAX, SALT_LENGTH_MAX } from '../../../rules/limits.ts'
import { FORM_BYTES_MAX } from '../limits.ts'
import {
  answer,
  errorCode,
  failure,
  failures,
  json,
  refused,
  text,
  tooLarge,
  unavailable,
} from './responses.ts'
import { ref } from './schemas.ts'
import type { Content, Operation, Parameter, PathItem, Paths, Responses, Schema } from './types.ts'

/** How any request to the store may end. */
export const storeCodes: readonly ErrorCode[] = [
  'SHUTTING_DOWN',
  'STEP_MISMATCH',
  'STORE_MISCONFIGURED',
  'STORE_UNAVAILABLE',
]

const idCodes: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'EXHAUSTED',
  'REGRESSED',
  ...storeCodes,
  'TOO_MANY_WAITERS',
  'WAIT_TIMEOUT',
]
const namedCodes: readonly ErrorCode[] = [...idCodes, 'TOO_MANY_SEQUENCES', 'UNKNOWN_SEQUENCE']
const ruleCodes: readonly ErrorCode[] = [...idCodes, 'RULE_FAILED', 'TOO_MANY_SEQUENCES', 'UNKNOWN_RULE']

/** The routes that serve ids and tell of them, each as GET and as POST. */
export function idPaths(requestIdsMax: number): Paths {
  const count = query('count', 'So many ids, all or nothing. Without it one id, and no list.', {
    type: 'integer',
    minimum: 1,
    maximum: requestIdsMax,
  })
  const badCount = `count must be a whole number from 1 to ${requestIdsMax}`
  return {
    '/new': getAndPost({
      operationId: 'new',
      tags: ['ids'],
      summary: 'The next id of the generator',
      parameters: [count, format],
      responses: {
        200: answer('The id, or the ids.', {
          ...json(ref('NewAnswer'), {
            one: { code: 0, msg: 'ok', data: { id: 100 } },
            several: { code: 0, msg: 'ok', data: { id: 101, ids: [101, 102, 103] } },
            strings: { code: 0, msg: 'ok', data: { id: '104', ids: ['104', '105'] } },
          }),
          ...text(ref('IdLines'), { several: '100\n101\n' }),
        }),
        ...failures(idCodes, (_codes, status) => ({
          ...failure(
            status === 400
              ? `BAD_REQUEST: ${badCount}`
              : 'WAIT_TIMEOUT: no id within 1000 ms: the store is slow',
          ),
          ...text(ref('FailureLine')),
        })),
      },
    }),
    '/alloc': getAndPost({
      operationId: 'alloc',
      tags: ['ids'],
      summary: 'The next id of a named sequence',
      parameters: [appTag, count, format],
      responses: {
        200: answer('The id, or the ids.', {
          ...json(ref('AllocAnswer'), {
            one: { resp_code: 0, msg: 'success', id: 1 },
            several: { resp_code: 0, msg: 'success', id: 2, ids: [2, 3, 4] },
          }),
          ...text(ref('IdLines'), { several: '1\n2\n' }),
        }),
        ...failures(
          namedCodes,
          (_codes, status) => ({
            ...json(ref('AllocFailure'), allocExamples('id', status, badCount)),
            ...text(ref('FailureLine')),
          }),
          allocStatuses,
        ),
        ...unread,
      },
    }),
    '/health': health(),
    '/rule': getAndPost({
      operationId: 'rule',
      tags: ['ids'],
      summary: 'The next id of a rule',
      parameters: [
        query('rule_name', 'The rule, as the configuration names it.', { type: 'string' }, true),
        query('app_name', 'Whose counter.', { type: 'string', maxLength: APP_NAME_LENGTH_MAX }, true),
        query('salt', 'What the script gets as `salt`.', { type: 'string', maxLength: SALT_LENGTH_MAX }),
        query('action', '`get` and `create` are the same; `monitor` tells where the counter stands.', {
          type: 'string',
          enum: ['get', 'create', 'monitor'],
          default: 'get',
        }),
        count,
        format,
        query('seq', 'Comes back as it was sent.', { type: 'string' }),
      ],
      responses: {
        200: answer('The id, or the ids; or the counter.', {
          ...json(
            { anyOf: [ref('RuleAnswer'), ref('CounterAnswer')] },
            {
              id: {
                app_name: 'shop',
                code: 0,
                data: 'O261121000001',
                message: 'success',
                rule_name: 'order_id',
              },
              counter: {
                action: 'monitor',
                app_name: 'shop',
                code: 0,
                data: { counter: 1, node_offset: 0 },
                message: 'ok',
                rule_name: 'order_id',
              },
            },
          ),
          ...text({ type: 'string' }, { id: 'O261121000001\n' }),
        }),
        ...failures(ruleCodes, (_codes, status) => ({
          // Where clients read too slowly, 503 is said before the rule is asked, in the words of /new.
          ...json(status === 503 ? { anyOf: [ref('RuleFailure'), ref('Failure')] } : ref('RuleFailure')),
          ...text(ref('FailureLine')),
        })),
      },
    }),
  }
}

function health(): PathItem {
  const { get, post } = getAndPost({
    operationId: 'health',
    tags: ['ids'],
    summary: 'How many ids of a named sequence this instance holds',
    description:
      'A sequence that is not in memory yet is loaded first, which makes this a way to warm one up.',
    parameters: [appTag],
    responses: {
      200: answer(
        'Ids in memory.',
        json(ref('HealthAnswer'), { held: { resp_code: 0, msg: 'success', left: 995 } }),
      ),
      ...failures(
        namedCodes,
        (_codes, status) =>
          json(
            ref('HealthFailure'),
            allocExamples('left', status, 'the name of a sequence must not hold control characters'),
          ),
        allocStatuses,
      ),
    },
  })
  return { get, post: { ...post, responses: { ...post.responses, ...unread } } }
}

const appTag = query(
  'app_tag',
  'The sequence. Its name is compared exactly, and has no control characters.',
  { type: 'string', minLength: 1, maxLength: NAME_LENGTH_MAX },
  true,
)
const format = query(
  'format',
  'How ids are written: as JSON numbers, as JSON strings, or bare, one a line, as text/plain. Without it `json`, or `text` where `Accept` names text/plain and not application/json.',
  { type: 'string', enum: ['json', 'string', 'text'] },
)

function query(name: string, description: string, schema: Schema, required = false): Parameter {
  return { name, in: 'query', ...(required && { required }), description, schema }
}

/** As the older servers do: 500 for all that goes wrong, a missing `app_tag` too, but not for other bad requests. */
function allocStatuses(code: ErrorCode): readonly number[] {
  return code === 'BAD_REQUEST' ? [400, 500] : [500]
}

function allocExamples(field: 'id' | 'left', status: number, bad: string): Readonly<Record<string, unknown>> {
  const failed = (msg: string) => ({ resp_code: -1, msg, [field]: 0 })
  if (status === 400) return { bad: failed(bad) }
  return {
    unknown: failed('app_tag not found'),
    none: failed('no available id'),
    untold: failed('need app_tag param'),
  }
}

const unread: Responses = {
  503: unavailable(
    '`TOO_MANY_WAITERS`: clients have not read so many replies that no more are made.',
    failure('TOO_MANY_WAITERS: clients read too slowly; try again later'),
    errorCode(['TOO_MANY_WAITERS']),
  ),
}

/** The same as GET and as POST, whose form takes the parameters as well. */
function getAndPost(operation: Operation & { readonly parameters: readonly Parameter[] }): {
  get: Operation
  post: Operation
} {
  const { operationId, parameters, responses } = operation
  const optional = parameters.map((parameter) => ({ ...parameter, required: false }))
  return {
    get: { ...operation, responses: { ...responses, ...refused } },
    post: {
      ...operation,
      operationId: `${operationId}Post`,
      description:
        'As GET. Parameters stand in the query or in the form; where both give one, the query wins.',
      parameters: optional,
      requestBody: { required: false, content: form(parameters) },
      responses: { ...responses, ...tooLarge('form', FORM_BYTES_MAX), ...refused },
    },
  }
}

function form(parameters: readonly Parameter[]): Content {
  const properties = Object.fromEntries(
    parameters.map(({ name, description, schema }) => [name, { description, ...schema }]),
  )
  return { 'application/x-www-form-urlencoded': { schema: { type: 'object', properties } } }
}
