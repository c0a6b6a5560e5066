import * as z from 'zod'
import { NAME_LENGTH_MAX, SEGMENT_STEP, STEP_MAX } from '../../core/limits.ts'
import { LIST_MAX } from './limits.ts'

/** Decimal text, since JSON numbers above 2^53 are rounded on the way; numbers are taken as far as they are exact. */
const id = z
  .union([
    z.string().regex(/^\d{1,19}$/, 'must be a whole number in decimal digits'),
    z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  ])
  .transform((value) => BigInt(value))

// The core counts characters, zod code units: so the core checks a name's length, and the limits are here for the reader.
const name = z
  .string()
  .meta({ description: 'Has no control characters.', minLength: 1, maxLength: NAME_LENGTH_MAX })

export const creation = z.strictObject({
  name,
  start: id.optional().describe('The first id; 1 if not given.'),
  step: z
    .number()
    .int()
    .min(1)
    .max(STEP_MAX)
    .optional()
    .describe(`Ids in the smallest lease; ${SEGMENT_STEP} if not given.`),
})

const by = id.describe('The next lease starts so many ids past all that was leased, and past a refusal (I3).')

export const advance = z.union([
  z.strictObject({ to: id.describe('The next lease starts there or later, never further back.') }),
  z.strictObject({ by }),
])

export const advanceAll = z.strictObject({ by })

export const whois = z.object({
  id: id.describe('The id that is asked about.'),
  sequence: name.optional().describe('The named sequence that it is of; the generator if not given.'),
})

export const page = z.object({
  after: z.string().default('').describe('Sequences after this name, in the order of its bytes.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(LIST_MAX)
    .default(LIST_MAX)
    .describe('At most so many; to read on, ask again with `after` set to the last name.'),
})
