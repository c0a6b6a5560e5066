/**
 * Ids that a script has made of one counter's numbers before anybody asked for them, all with one time: behind a number that was
 * asked for with a salt, those of the numbers that follow, with the same salt. An id depends on nothing else, so whoever takes
 * such a number needs no run of the script; with another salt, it is run for that number as ever.
 */
export class IdsAhead {
  readonly #step: number
  readonly #last: number
  #salt = ''
  #first = 0
  #ids: readonly string[] = []
  #made = 0
  #isStopped = false

  /** `step` is how far apart the counter's numbers are, and `last` is the last one. */
  constructor(step: number, last: number) {
    this.#step = step
    this.#last = last
  }

  /** The id of a number, or undefined where that was not made ahead. */
  find(counter: number | bigint, salt: string): string | undefined {
    if (salt !== this.#salt || typeof counter === 'bigint') return undefined
    return this.#ids[(counter - this.#first) / this.#step]
  }

  /** How many to make behind a number: as many as were made with this salt, so that half of all at most are in vain. */
  wanted(counter: number | bigint, salt: string): number {
    if (this.#isStopped || salt !== this.#salt || typeof counter === 'bigint') return 0
    return Math.min(this.#made, Math.floor((this.#last - counter) / this.#step))
  }

  /** Notes that `made` ids were made of numbers up to `last`, and `ids` of those behind it. */
  keep(salt: string, last: number | bigint, made: number, ids: readonly string[]): void {
    if (salt !== this.#salt) {
      this.#salt = salt
      this.#made = 0
    }
    this.#made += made + ids.length
    this.#first = Number(last) + this.#step
    this.#ids = ids
  }

  /** Begins anew with few: the script has failed, and may fail again with a number that nobody has asked for. */
  begin(): void {
    this.#made = 0
  }

  /** Makes no more: the script had to be ended, and must not be ended again for numbers that nobody has asked for. */
  stop(): void {
    this.#isStopped = true
  }
}
