import { ID_END } from '../../core/id.ts'

/** An integer column's value: beyond SQLite's integers, which end at 2^63-1, only 2^63 is kept, exactly, as a real. */
export type ColumnValue = bigint | number

export function toColumn(value: bigint): ColumnValue {
  return value < ID_END ? value : Number(value)
}
