/** Ids in one page: half a kilobyte, so that neither dense nor scattered ids cost much. */
const PAGE_IDS = 4_096

/** A set of ids up to 2^53-1, a bit each: an hour's ids of a fleet take a few megabytes. */
export class IdSet {
  readonly #pages = new Map<number, Uint32Array>()
  #size = 0
  #least = Number.POSITIVE_INFINITY
  #greatest = Number.NEGATIVE_INFINITY

  get size(): number {
    return this.#size
  }

  /** Ids from the least to the greatest one that are not in the set. */
  get gaps(): number {
    return this.#size === 0 ? 0 : this.#greatest - this.#least + 1 - this.#size
  }

  /** False where the set has it already. Throws RangeError for what is not a whole number from 0 to 2^53-1. */
  add(id: number): boolean {
    if (!Number.isSafeInteger(id) || id < 0) throw new RangeError(`${id} is not an id that is exact here`)
    const number = Math.floor(id / PAGE_IDS)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint32Array(PAGE_IDS / 32)
      this.#pages.set(number, page)
    }
    const bit = id % PAGE_IDS
    const word = page[bit >>> 5] as number
    const mask = 1 << (bit & 31)
    if ((word & mask) !== 0) return false
    page[bit >>> 5] = word | mask
    this.#size++
    if (id < this.#least) this.#least = id
    if (id > this.#greatest) this.#greatest = id
    return true
  }
}
