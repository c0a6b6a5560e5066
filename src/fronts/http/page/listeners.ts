import type { ServerResponse } from 'node:http'
import { LISTENERS_MAX, LIVE_MS } from './limits.ts'

interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  readonly outgoing: ServerResponse
}

const encoder = new TextEncoder()

/**
 * The browsers that follow the page, by server-sent events. While there is any, one timer renders for all of them. A
 * browser that reads too slowly misses fragments; nothing is kept for it.
 */
export class Listeners {
  readonly #render: () => Promise<string>
  readonly #listeners = new Set<Listener>()
  #timer: NodeJS.Timeout | undefined
  #rendering = false

  constructor(render: () => Promise<string>) {
    this.#render = render
  }

  /** The body of an endless answer, or undefined where too many listen. */
  join(outgoing: ServerResponse): ReadableStream<Uint8Array> | undefined {
    if (this.#listeners.size >= LISTENERS_MAX) return undefined
    let listener: Listener
    return new ReadableStream({
      start: (controller) => {
        listener = { controller, outgoing }
        this.#listeners.add(listener)
        // The answer's head leaves with its first bytes.
        controller.enqueue(encoder.encode(': seqsvr\n\n'))
        this.#timer ??= setInterval(() => void this.#send(), LIVE_MS)
      },
      cancel: () => this.#leave(listener),
    })
  }

  /** Ends all of them, so that a draining server need not wait. */
  close(): void {
    for (const listener of [...this.#listeners]) {
      const { controller, outgoing } = listener
      this.#leave(listener)
      if (outgoing.writableNeedDrain) outgoing.destroy()
      controller.close()
    }
  }

  async #send(): Promise<void> {
    if (this.#rendering) return
    this.#rendering = true
    try {
      // JSON, since a line break would end the event's data.
      const event = encoder.encode(`data: ${JSON.stringify(await this.#render())}\n\n`)
      for (const { controller } of this.#listeners)
        if ((controller.desiredSize as number) > 0) controller.enqueue(event)
    } finally {
      this.#rendering = false
    }
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
