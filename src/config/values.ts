import * as z from 'zod'

/*
 * The kinds of values that keys of the configuration have. Each says in its messages what is allowed.
 */

/** A block of keys that have defaults, so that it need not be given. */
export function section<T extends z.ZodRawShape>(shape: T) {
  const object = z.object(shape)
  return object.prefault({} as z.input<typeof object>)
}

/** A value that `parse` reads; it gives undefined for what is not allowed. Values from the environment and from flags are texts. */
export function parsed<T>(allowed: string, parse: (value: unknown) => T | undefined) {
  return z.unknown().transform((value, context): T => {
    const result = parse(value)
    if (result !== undefined) return result
    context.addIssue(
      value === undefined ? 'is missing' : `must be ${allowed}, but is ${JSON.stringify(value)}`,
    )
    return z.NEVER
  })
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number) {
  return parsed(`a whole number from ${min} to ${max}`, (value) => wholeNumber(value, min, max))
}

/** The whole number that a value is, or that its text is, or undefined where it is none from `min` to `max`. */
export function wholeNumber(value: unknown, min: number, max: number): number | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
    ? number
    : undefined
}

/** One of these values, or its text. */
export function choice<const T extends string | number | boolean>(options: readonly T[]) {
  const allowed = `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`
  return parsed(allowed, (value) =>
    typeof value === 'object' ? undefined : options.find((option) => String(option) === String(value)),
  )
}

/** A text of at least `lengthMin` characters that matches `pattern`; else it is `allowed` that a person reads. Its messages never show the value, which may be a secret. */
export function text(lengthMin: number, pattern = /^/, allowed = '') {
  return z.unknown().transform((value, context): string => {
    const isText = typeof value === 'string' && value.length >= lengthMin
    if (isText && pattern.test(value)) return value
    if (value === undefined) context.addIssue('is missing')
    else if (value === '') context.addIssue('must not be empty')
    else if (isText) context.addIssue(allowed)
    else context.addIssue(`must be text, but is a ${typeof value}; put it in quotes`)
    return z.NEVER
  })
}
