import * as z from 'zod'
import type { ErrorCode } from '../../../core/errors.ts'
import { NAME_LENGTH_MAX } from '../../../core/limits.ts'
import { advance, advanceAll, creation, page, whois } from '../admin-requests.ts'
import { ADMIN_BODY_BYTES_MAX } from '../limits.ts'
import { storeCodes } from './id-paths.ts'
import { answer, errorCode, failure, failures, json, refused, tooLarge } from './responses.ts'
import { okAnswer, ref } from './schemas.ts'
import type { Operation, Parameter, Paths, Responses, Schema } from './types.ts'

const name: Parameter = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'The sequence, escaped: `a/b` is `a%2Fb`.',
  schema: { type: 'string', minLength: 1, maxLength: NAME_LENGTH_MAX },
}

/** The admin API, which is there only where a token is configured. */
export function adminPaths(): Paths {
  return {
    '/admin/sequences': {
      get: admin([], {
        operationId: 'listSequences',
        summary: 'The named sequences, by name',
        parameters: queryOf(page),
        responses: {
          200: answer(
            'Up to `limit` of them.',
            json(okAnswer(ref('SequenceList')), {
              two: {
                code: 0,
                msg: 'ok',
                data: {
                  sequences: [
                    { name: 'invoices', max_id: '1', step: 1000, held: null },
                    {
                      name: 'orders',
                      max_id: '1001',
                      step: 1000,
                      held: { left: 992, waiting: 0, fault: null },
                    },
                  ],
                },
              },
            }),
          ),
        },
      }),
      post: admin(['SEQUENCE_EXISTS'], {
        operationId: 'createSequence',
        summary: 'Makes a sequence',
        description:
          'One that is made again starts above all that the earlier one leased, if that is greater than `start`.',
        requestBody: body(creation, { name: 'invoices', start: 1, step: 1000 }),
        responses: {
          201: answer('It is made.', json(okAnswer(ref('SequenceName')), done({ name: 'invoices' }))),
        },
      }),
    },
    '/admin/sequences/{name}': {
      delete: admin(['UNKNOWN_SEQUENCE'], {
        operationId: 'retireSequence',
        summary: 'Removes a sequence',
        parameters: [name],
        responses: {
          200: answer('It is gone.', json(okAnswer(ref('SequenceName')), done({ name: 'invoices' }))),
        },
      }),
    },
    '/admin/sequences/{name}/advance': {
      post: admin(['EXHAUSTED', 'UNKNOWN_SEQUENCE'], {
        operationId: 'advanceSequence',
        summary: 'Moves a sequence on',
        description:
          'It never goes back: `to` below where the sequence stands changes nothing and is a success.',
        parameters: [name],
        requestBody: body(advance, { to: '5000' }),
        responses: {
          200: answer(
            'Where its next lease starts.',
            json(okAnswer(ref('SequencePosition')), done({ name: 'invoices', max_id: '5000' })),
          ),
        },
      }),
    },
    '/admin/whois': {
      get: admin([], {
        operationId: 'whois',
        summary: 'Whom an id was leased to',
        description: 'As far as leases are on record: `provenance.days` says for how long they are.',
        parameters: queryOf(whois),
        responses: {
          200: answer(
            'The lease that holds the id, or null where none is on record.',
            json(
              okAnswer(ref('IdOrigin')),
              done({
                id: '1234',
                sequence: 'orders',
                lease: {
                  start: '1001',
                  end: '2001',
                  instance: '019ad0f4-5c1e-7d3a-b0a1-3f2c5d6e7f80',
                  leased_at: '2026-11-21T10:20:30.000Z',
                },
              }),
            ),
          ),
        },
      }),
    },
    '/admin/advance': {
      post: admin(['EXHAUSTED'], {
        operationId: 'advanceAll',
        summary: 'Moves the generator and every named sequence on',
        description:
          'For after a restore or a failover that may have lost leases. Doing it twice is harmless.',
        requestBody: body(advanceAll, { by: '1000000' }),
        responses: {
          200: answer(
            'How many named sequences were moved, and why others were not.',
            json(okAnswer(ref('AdvanceReport')), done({ advanced: 2, failures: [] })),
          ),
        },
      }),
    },
  }
}

function done(data: unknown): Readonly<Record<string, unknown>> {
  return { done: { code: 0, msg: 'ok', data } }
}

/** An operation that takes the token, and may fail as the store may and with `codes`. */
function admin(codes: readonly ErrorCode[], operation: Omit<Operation, 'tags'>): Operation {
  return {
    ...operation,
    tags: ['administration'],
    security: [{ adminToken: [] }],
    responses: {
      ...operation.responses,
      ...failures(['BAD_REQUEST', ...codes, ...storeCodes], () => failure('CODE: what happened')),
      400: badRequest,
      ...unauthorized,
      ...(operation.requestBody && tooLarge('body', ADMIN_BODY_BYTES_MAX)),
      ...refused,
    },
  }
}

const challenge = { 'WWW-Authenticate': { required: true, schema: { type: 'string', pattern: '^Bearer ' } } }

const unauthorized: Responses = {
  401: answer(
    'The admin token is missing or wrong.',
    failure('UNAUTHORIZED: send the header Authorization: Bearer <admin token>'),
    challenge,
  ),
}

const badRequest = answer(
  '`BAD_REQUEST`; or an `Authorization` of another form than `Bearer <token>`, which has no code and a `WWW-Authenticate`.',
  failure('BAD_REQUEST: by must be a whole number from 1 to 9223372036854775807'),
  {
    ...errorCode(['BAD_REQUEST'], false),
    'WWW-Authenticate': { ...challenge['WWW-Authenticate'], required: false },
  },
)

function jsonSchemaOf(schema: z.ZodType): Schema {
  // What clients send, before it is transformed.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}

function body(schema: z.ZodType, example: unknown): NonNullable<Operation['requestBody']> {
  return { required: true, content: json(jsonSchemaOf(schema), { body: example }) }
}

function queryOf(schema: z.ZodObject): readonly Parameter[] {
  return Object.entries(schema.shape).map(([key, value]) => {
    const { description, ...rest } = jsonSchemaOf(value)
    const required = !value.safeParse(undefined).success
    return {
      name: key,
      in: 'query',
      ...(required && { required }),
      description: String(description),
      schema: rest,
    }
  })
}
