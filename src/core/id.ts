/**
 * One id. A number up to 2^53-1 and a bigint from 2^53, so that it is exact everywhere (I6) and cheap: `Sequence.take` puts
 * nothing on the heap for a number, and 24 bytes for a bigint (`npm run bench -- take`). `String(id)` is its decimal text in both
 * cases, and `<` compares across both.
 */
export type Id = number | bigint

/** The first value past the id space: ids are `[0, 2^63)`. */
export const ID_END = 2n ** 63n

/** The first id that a number cannot hold exactly. */
export const FIRST_BIGINT_ID = 2n ** 53n
