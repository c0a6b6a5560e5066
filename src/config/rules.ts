import { isIP } from 'node:net'
import * as z from 'zod'
import { BATCH_SAVE, BATCH_SAVE_MAX, RULES_MAX } from '../rules/limits.ts'
import { systemTimeZone } from '../rules/time-zone.ts'

const NAME_LENGTH_MAX = 64

const BATCH = `must be a whole number from 1 to ${BATCH_SAVE_MAX}`

const ruleSchema = z.strictObject(
  {
    name: z
      .string(unlessMissing('must be text; put it in quotes'))
      .regex(/^[^\p{Cc}]+$/u, 'must be text without control characters')
      .max(NAME_LENGTH_MAX, `must not be longer than ${NAME_LENGTH_MAX} characters`),
    lua_file: z.string(unlessMissing('must be the path of a script')).min(1, 'must not be empty'),
    batch_save: z.int(BATCH).min(1, BATCH).max(BATCH_SAVE_MAX, BATCH).default(BATCH_SAVE),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key \`${issue.keys.join('`, `')}\`; known are name, lua_file, batch_save`
        : 'must be a rule: { name: …, lua_file: … }',
  },
)

function unlessMissing(message: string) {
  return {
    error: ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is missing' : message),
  }
}

/** The list of rules of a configuration file. */
export const rulesSchema = z
  .array(ruleSchema, 'must be a list of rules, each with name, lua_file and batch_save, in the file')
  .max(RULES_MAX, `must be ${RULES_MAX} rules at most`)
  .superRefine((rules, context) => {
    for (const [i, { name }] of rules.entries())
      if (rules.findIndex((rule) => rule.name === name) < i)
        context.addIssue({
          code: 'custom',
          path: [i, 'name'],
          message: `there are two rules ${JSON.stringify(name)}`,
        })
  })

/** An IANA name, `system` for the process's own zone; undefined when it is neither. */
export function parseTimeZone(value: unknown): string | undefined {
  if (value === 'system') return systemTimeZone()
  try {
    return typeof value === 'string'
      ? Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone
      : undefined
  } catch {
    return undefined
  }
}

/** A list, or a text with commas: `10.0.0.0/8, ::1`; undefined when one of them is no network and no address. */
export function parseNetworks(value: unknown): readonly string[] | undefined {
  const list = typeof value === 'string' ? value.split(',').map((network) => network.trim()) : value
  return Array.isArray(list) && list.every(isNetwork) ? list : undefined
}

function isNetwork(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const [address = '', prefix = '0', ...more] = value.split('/')
  const bits = { 4: 32, 6: 128 }[isIP(address)]
  return bits !== undefined && more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
}
