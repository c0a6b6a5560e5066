/** Questions to another process that wait for their answers. */
export class Questions {
  readonly #waiting = new Map<number, (answer: unknown) => void>()
  #lastId = 0

  /** Has `send` ask with an id that the answer must come with. Resolves with undefined where none has come within `deadlineMs`. */
  ask(deadlineMs: number, send: (id: number) => void): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const late = setTimeout(() => this.answer(id, undefined), deadlineMs)
      this.#waiting.set(id, (answer) => {
        clearTimeout(late)
        resolve(answer)
      })
      send(id)
    })
  }

  /** An answer has come. One that nobody waits for any more is left alone. */
  answer(id: number, answer: unknown): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }
}

/** Whoever calls while `work` works gets what it is about to give: however many call, it works once at a time. */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let working: Promise<T> | undefined
  return () => {
    working ??= work().finally(() => {
      working = undefined
    })
    return working
  }
}
