/**
 * The turns of those who have more to do than one turn of the event loop should take. They get one each, one after the other:
 * however many they are, everybody else waits for one of them only.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** Has `work` done in a later turn of the event loop. */
  wait(work: () => void): void {
    this.#waiting.push(work)
    if (this.#waiting.length === 1) setImmediate(this.#next)
  }

  readonly #next = (): void => {
    const work = this.#waiting[0] as () => void
    work()
    // Only now: what `work` adds must not schedule a second one beside this.
    this.#waiting.shift()
    if (this.#waiting.length > 0) setImmediate(this.#next)
  }
}
