import { SequenceError } from './errors.ts'
import { NAME_LENGTH_MAX } from './limits.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/**
 * Throws BAD_REQUEST unless `name` can name a sequence: 1 to 128 characters of well-formed Unicode without control
 * characters. Names are compared exactly: no case, no trailing space and no accent is ignored.
 */
export function checkName(name: string): void {
  const reason = reasonAgainst(name)
  if (reason !== undefined) throw new SequenceError('BAD_REQUEST', `the name of a sequence ${reason}`)
}

function reasonAgainst(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (name.length > 2 * NAME_LENGTH_MAX || [...name].length > NAME_LENGTH_MAX)
    return `must not be longer than ${NAME_LENGTH_MAX} characters`
  if (!name.isWellFormed()) return 'must be well-formed Unicode'
  return CONTROL.test(name) ? 'must not hold control characters' : undefined
}
