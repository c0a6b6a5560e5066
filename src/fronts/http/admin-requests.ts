import * as z from 'zod'
import { ID_END } from '../../core/id.ts'
import { NAME_LENGTH_MAX, SEGMENT_STEP, STEP_MAX } from '../../core/limits.ts'
import { LIST_MAX } from './limits.ts'

const WHOLE = `a whole number from 0 to ${ID_END - 1n}`

/** What is wrong with a value, in words for people. */
function must(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return 'is missing'
    const isRounded = typeof input === 'number' && input > Number.MAX_SAFE_INTEGER
    return isRounded ? 'must be in quotes: JSON numbers are rounded above 2^53-1' : `must be ${what}`
  }
}

const wrongId = must(WHOLE)

/** Decimal text, since JSON numbers above 2^53 are rounded on the way; numbers are taken as far as they are exact. */
const id = z
  .union(
    [
      z.string().regex(/^\d{1,19}$/, { error: wrongId }),
      z
        .number()
        .int({ error: wrongId })
        .nonnegative({ error: wrongId })
        .max(Number.MAX_SAFE_INTEGER, { error: wrongId }),
    ],
    { error: wrongId },
  )
  .transform((value) => BigInt(value))

// The core counts characters, zod code units: so the core checks a name's length, and the limits are here for the reader.
const name = z
  .string({ error: must('text') })
  .meta({ description: 'Has no control characters.', minLength: 1, maxLength: NAME_LENGTH_MAX })

const wrongStep = must(`a whole number from 1 to ${STEP_MAX}`)

export const creation = z.strictObject({
  name,
  start: id.optional().describe('The first id; 1 if not given.'),
  step: z
    .int({ error: wrongStep })
    .min(1, { error: wrongStep })
    .max(STEP_MAX, { error: wrongStep })
    .optional()
    .describe(`Ids in the smallest lease; ${SEGMENT_STEP} if not given.`),
})

const by = id.describe('The next lease starts so many ids past all that was leased, and past a refusal (I3).')

export const advance = z.union(
  [
    z.strictObject({ to: id.describe('The next lease starts there or later, never further back.') }),
    z.strictObject({ by }),
  ],
  { error: () => `the body must be {"to":"N"} or {"by":"N"}, where N is ${WHOLE}` },
)

export const advanceAll = z.strictObject({ by })

export const whois = z.object({
  id: id.describe('The id that is asked about.'),
  sequence: name.optional().describe('The named sequence that it is of; the generator if not given.'),
})

const wrongLimit = must(`a whole number from 1 to ${LIST_MAX}`)

export const page = z.object({
  after: z.string().default('').describe('Sequences after this name, in the order of its bytes.'),
  limit: z.coerce
    .number({ error: wrongLimit })
    .int({ error: wrongLimit })
    .min(1, { error: wrongLimit })
    .max(LIST_MAX, { error: wrongLimit })
    .default(LIST_MAX)
    .describe('At most so many; to read on, ask again with `after` set to the last name.'),
})
