import { IdSet } from './id-set.ts'

/** Violations that are kept in words; all are counted. */
const VIOLATIONS_KEPT = 50

/** A client that asks one instance for one thing after the other, so that the ids it gets must increase (I5). */
export interface Asker {
  readonly name: string
  /** Its greatest id of each stream. Undefined where several instances answer it. */
  readonly last?: Map<string, number> | undefined
}

/** Knows every id that was acknowledged, and finds those that came twice (I1) or out of order (I5). */
export class Checker {
  readonly #streams = new Map<string, IdSet>()
  readonly #violations: string[] = []
  #duplicates = 0
  #outOfOrder = 0

  get duplicates(): number {
    return this.#duplicates
  }

  get outOfOrder(): number {
    return this.#outOfOrder
  }

  /** Sentences about the first duplicates and ids out of order. */
  get violations(): readonly string[] {
    return this.#violations
  }

  /** Ids that were acknowledged, once each. */
  get ids(): number {
    let ids = 0
    for (const { size } of this.#streams.values()) ids += size
    return ids
  }

  /** Ids of a numeric stream below its greatest one that nobody got. */
  wasted(stream: string): number {
    return this.#streams.get(stream)?.gaps ?? 0
  }

  /** Takes note of ids of one stream, in the order in which the asker got them. */
  acknowledged(asker: Asker, stream: string, ids: readonly number[]): void {
    const set = this.#open(stream)
    for (const id of ids) {
      if (!set.add(id)) {
        this.#duplicates++
        this.#keep(`I1: ${asker.name} got ${id} of ${stream}, which was given before`)
      }
      const last = asker.last?.get(stream)
      if (last !== undefined && id <= last) {
        this.#outOfOrder++
        this.#keep(`I5: ${asker.name} got ${id} of ${stream} after ${last}`)
      }
      asker.last?.set(stream, id)
    }
  }

  /**
   * Takes note of a formatted id. What stands before its last digits, at most nine of them, names a stream of numbers, so that
   * two texts are the same exactly where stream and number are.
   */
  acknowledgedText(asker: Asker, rule: string, text: string): void {
    const digits = /[0-9]{9}$/.exec(text)?.[0]
    if (digits === undefined) throw new RangeError(`${text} does not end with nine digits`)
    this.acknowledged({ name: asker.name }, `${rule}/${text.slice(0, -9)}`, [Number(digits)])
  }

  #open(stream: string): IdSet {
    let set = this.#streams.get(stream)
    if (set === undefined) {
      set = new IdSet()
      this.#streams.set(stream, set)
    }
    return set
  }

  #keep(violation: string): void {
    if (this.#violations.length < VIOLATIONS_KEPT) this.#violations.push(violation)
  }
}
