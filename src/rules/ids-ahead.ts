/**
 * Ids that a script has made of one counter's numbers before anybody asked for them, all with one time: behind a number that was
 * asked for with a salt, those of the numbers that follow, with the same salt. An id depends on nothing else, so whoever takes
 * such a number needs no run of the script; with another salt, it is run for that number as ever.
 */
export class IdsAhead {
  /** How far apart the counter's numbers are. */
  readonly step: number
  #salt = ''
  #first = 0
  #ids: readonly string[] = []
  #made = 0

  constructor(step: number) {
    this.step = step
  }

  /** The id of a number, or undefined where that was not made ahead. */
  find(counter: number | bigint, salt: string): string | undefined {
    if (salt !== this.#salt || typeof counter === 'bigint') return undefined
    return this.#ids[(counter - this.#first) / this.step]
  }

  /** How many to make ahead: as many as were made with this salt, so that no more than half of all are in vain. */
  wanted(salt: string): number {
    return salt === this.#salt ? this.#made : 0
  }

  /** Notes that ids were made of some numbers up to `last`, and `ids` of those behind it. */
  keep(salt: string, last: number | bigint, made: number, ids: readonly string[]): void {
    if (salt !== this.#salt) {
      this.#salt = salt
      this.#made = 0
    }
    this.#made += made + ids.length
    this.#first = Number(last) + this.step
    this.#ids = ids
  }
}
