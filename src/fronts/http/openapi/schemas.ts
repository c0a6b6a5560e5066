import { errorTable } from '../../error-table.ts'
import { errorMeanings } from './error-meanings.ts'
import type { Schema } from './types.ts'

export type SchemaName = keyof typeof schemas | keyof typeof adminSchemas

/** A reference to one of `schemas`. */
export function ref(name: SchemaName): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

/** The answer of an older server's dialect to a success, with its own fields beside these. */
function allocAnswer(fields: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return object({ resp_code: { const: 0 }, msg: { const: 'success' }, ...fields }, optional)
}

function allocFailure(field: 'id' | 'left'): Schema {
  return object({ resp_code: { const: -1 }, msg: { type: 'string' }, [field]: { const: 0 } })
}

/** The answer of `/new` and of the admin API. */
export function okAnswer(data: Schema): Schema {
  return object({ code: { const: 0 }, msg: { const: 'ok' }, data })
}

const idOfAnyForm: Schema = {
  oneOf: [{ $ref: '#/components/schemas/Id' }, { $ref: '#/components/schemas/IdText' }],
}
const ids: Schema = {
  description: 'Only where `count` was given: so many ids, increasing. The first one is also in `id`.',
  type: 'array',
  minItems: 1,
  items: idOfAnyForm,
}

/** What a reply of `/rule` repeats of its request. */
const ruleRequestFields: Readonly<Record<string, Schema>> = {
  action: { type: 'string' },
  app_name: { type: 'string' },
  rule_name: { type: 'string' },
  salt: { type: 'string' },
  seq: { type: 'string' },
}

export const schemas = {
  Id: {
    description:
      'Below 2^63. All digits are exact, but many JSON parsers, JavaScript’s among them, round what is above 2^53-1 (9007199254740991): read 64-bit integers, or ask for `format=string`.',
    type: 'integer',
    format: 'int64',
    minimum: 0,
  },
  IdText: {
    description: 'With `format=string`: the id in decimal digits, exact in every parser.',
    type: 'string',
    pattern: '^\\d{1,19}$',
  },
  IdLines: {
    description: 'Ids in decimal digits, one a line.',
    type: 'string',
    pattern: '^(\\d{1,19}\\n)+$',
  },
  NewAnswer: okAnswer(object({ id: idOfAnyForm, ids }, ['ids'])),
  AllocAnswer: allocAnswer({ id: idOfAnyForm, ids }, ['ids']),
  AllocFailure: allocFailure('id'),
  HealthAnswer: allocAnswer({
    left: { description: 'Ids that this instance holds in memory.', type: 'integer', minimum: 0 },
  }),
  HealthFailure: allocFailure('left'),
  RuleAnswer: object(
    {
      ...ruleRequestFields,
      code: { const: 0 },
      message: { const: 'success' },
      data: { description: 'The id.', type: 'string' },
      ids: {
        description: 'Only where `count` was given.',
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
      },
    },
    ['action', 'salt', 'seq', 'ids'],
  ),
  CounterAnswer: object(
    {
      ...ruleRequestFields,
      code: { const: 0 },
      message: { const: 'ok' },
      data: object({
        counter: { type: 'integer', format: 'int64', minimum: 0 },
        node_offset: { type: 'integer', minimum: 0 },
      }),
    },
    ['salt', 'seq'],
  ),
  RuleFailure: object(
    { ...ruleRequestFields, code: { const: -1 }, message: { type: 'string' } },
    Object.keys(ruleRequestFields),
  ),
  Failure: object({
    code: { const: -1 },
    msg: { description: 'What happened, behind its code where it has one.', type: 'string' },
    data: { type: 'null' },
  }),
  FailureLine: {
    description: 'With `format=text`: the code of the error, and what happened.',
    type: 'string',
    pattern: '^[A-Z_]+: [\\s\\S]+\\n$',
  },
  Ok: okAnswer({ type: 'null' }),
  ErrorCode: {
    description: Object.entries(errorMeanings)
      .map(
        ([code, meaning]) =>
          `- \`${code}\` (${errorTable[code as keyof typeof errorTable].httpStatus}): ${meaning}`,
      )
      .join('\n'),
    type: 'string',
    enum: Object.keys(errorMeanings),
  },
} satisfies Record<string, Schema>

/** What the admin API answers with, and shows only where there is one. */
export const adminSchemas = {
  SequenceList: object({
    sequences: {
      type: 'array',
      items: object({
        name: { type: 'string' },
        max_id: { description: 'The first id that is not leased yet.', $ref: '#/components/schemas/IdText' },
        step: { description: 'Ids in the smallest lease.', type: 'integer', minimum: 1 },
        held: {
          description: 'What the instance that answers has in memory.',
          oneOf: [
            { type: 'null' },
            object({
              left: { description: 'Ids in memory.', type: 'integer', minimum: 0 },
              waiting: { description: 'Requests that wait for the store.', type: 'integer', minimum: 0 },
              fault: { description: 'Why the last lease failed.', type: ['string', 'null'] },
            }),
          ],
        },
      }),
    },
  }),
  SequenceName: object({ name: { type: 'string' } }),
  SequencePosition: object({
    name: { type: 'string' },
    max_id: { description: 'The first id of its next lease.', $ref: '#/components/schemas/IdText' },
  }),
  AdvanceReport: object({
    advanced: { type: 'integer', minimum: 0 },
    failures: { type: 'array', items: { type: 'string' } },
  }),
  IdOrigin: object({
    id: { $ref: '#/components/schemas/IdText' },
    sequence: { description: 'Null: the generator.', type: ['string', 'null'] },
    lease: {
      oneOf: [
        { type: 'null' },
        object({
          start: { description: 'Its first id.', $ref: '#/components/schemas/IdText' },
          end: { description: 'The first id past it.', $ref: '#/components/schemas/IdText' },
          instance: { description: 'The UUID of the instance.', type: 'string' },
          leased_at: { description: 'By the clock of that instance.', type: 'string', format: 'date-time' },
        }),
      ],
    },
  }),
} satisfies Record<string, Schema>
