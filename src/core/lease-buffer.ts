import { FIRST_BIGINT_ID, type Id } from './id.ts'
import type { Lease } from './lease.ts'

/** A part of a lease whose ids all have one representation: numbers, or bigints. */
interface Piece {
  readonly start: Id
  readonly end: Id
  readonly length: number
}

/**
 * The leases that an instance holds for one sequence, in rising order: the one it serves from and those
 * fetched ahead. Empty when `#next` equals `#end`; then `#ahead` is empty too.
 */
export class LeaseBuffer {
  #next: Id = 0
  #end: Id = 0
  #left = 0
  #ahead: Piece[] = []
  #servedLength = 0
  #granted = 0
  #discarded = 0

  /** How many ids it holds. */
  get left(): number {
    return this.#left
  }

  /** Ids taken since it was made. Derived, since to count them would cost every one of them. */
  get issued(): number {
    return this.#granted - this.#left - this.#discarded
  }

  /** How many ids the lease that it serves from held at first, and how many it holds now. */
  get leaseIds(): number {
    return this.#servedLength
  }

  get leftInLease(): number {
    return this.#lengthOfServed()
  }

  /** The id that `take` would give, or undefined when it is empty. */
  get next(): Id | undefined {
    return this.#left === 0 ? undefined : this.#next
  }

  /** The next id. Throws a RangeError when it is empty (I1). Hot path: it allocates nothing but bigints. */
  take(): Id {
    if (this.#left === 0) throw new RangeError('the buffer holds no ids')
    this.#left--
    const id = this.#next++
    if (this.#next === this.#end) this.#serveNextPiece()
    return id
  }

  /** The next `count` ids, which may span leases. The caller makes sure that `left >= count`. */
  takeMany(count: number): Id[] {
    const ids: Id[] = new Array(count)
    for (let i = 0; i < count; i++) ids[i] = this.take()
    return ids
  }

  /** Whether `count` consecutive ids are held. */
  holdsRow(count: number): boolean {
    return this.#lengthOfServed() >= count || this.#ahead.some(({ length }) => length >= count)
  }

  /**
   * The first of `count` consecutive ids. What lies below them becomes a gap, since ids must increase (I5). The
   * caller makes sure that `holdsRow(count)`.
   */
  takeRow(count: number): Id {
    while (this.#lengthOfServed() < count) {
      const skipped = this.#lengthOfServed()
      this.#left -= skipped
      this.#discarded += skipped
      this.#serveNextPiece()
    }
    const first = this.#next
    this.#next = typeof first === 'bigint' ? first + BigInt(count) : first + count
    this.#left -= count
    if (this.#next === this.#end) this.#serveNextPiece()
    return first
  }

  /** Adds a lease that lies above all that it holds. */
  install(lease: Lease): void {
    for (const piece of pieces(lease)) {
      this.#ahead.push(piece)
      this.#left += piece.length
      this.#granted += piece.length
    }
    if (this.#next === this.#end) this.#serveNextPiece()
  }

  /** Throws away all ids that it holds; they become a gap (I4). */
  discard(): void {
    this.#ahead = []
    this.#next = this.#end
    this.#discarded += this.#left
    this.#left = 0
  }

  #lengthOfServed(): number {
    return typeof this.#next === 'bigint'
      ? Number((this.#end as bigint) - this.#next)
      : (this.#end as number) - this.#next
  }

  #serveNextPiece(): void {
    const piece = this.#ahead.shift()
    if (piece === undefined) return
    this.#next = piece.start
    this.#end = piece.end
    this.#servedLength = piece.length
  }
}

function* pieces({ start, end }: Lease): Generator<Piece> {
  const numbersEnd = end < FIRST_BIGINT_ID ? end : FIRST_BIGINT_ID
  if (start < numbersEnd)
    yield { start: Number(start), end: Number(numbersEnd), length: Number(numbersEnd - start) }
  const bigintsStart = start > FIRST_BIGINT_ID ? start : FIRST_BIGINT_ID
  if (bigintsStart < end) yield { start: bigintsStart, end, length: Number(end - bigintsStart) }
}
