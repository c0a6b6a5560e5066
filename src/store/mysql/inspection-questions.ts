import { SequenceError } from '../../core/errors.ts'
import type { Row } from './session.ts'
import type { Transactions } from './transactions.ts'

/** The rows of a question, or why there are none. */
export type Answer = readonly Row[] | SequenceError

/** Asks the server something, in a transaction of its own, so that other questions go on when this one fails. */
export type Ask = (sql: string, values?: readonly string[]) => Promise<Answer>

export function asking(transactions: Transactions): Ask {
  return (sql, values = []) => transactions.run((session) => session.rows(sql, values)).catch(asSequenceError)
}

export function asSequenceError(error: unknown): SequenceError {
  if (error instanceof SequenceError) return error
  throw error
}

export function rowsOf(answer: Answer): readonly Row[] {
  return answer instanceof SequenceError ? [] : answer
}

/** The rows of a question that others build on. Throws why there are none. */
export function needed(answer: Answer): readonly Row[] {
  if (answer instanceof SequenceError) throw answer
  return answer
}
