import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { PIPELINED_MAX } from './limits.ts'

/**
 * Counts the requests of each connection that wait behind others. Node works on all of a pipeline at once, and one packet may
 * hold two thousand: each a page to be rendered, or an answer that waits for those before it (I9).
 */
export class Pipelines {
  readonly #open = new WeakMap<Socket, number>()

  /** Whether to answer a request. The connection of one that is too many is cut, and no more of it is answered. */
  admits({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false
    // It has the socket: none is before it. So a request outside of a pipeline costs nothing here.
    if (response.socket !== null) return true
    const open = (this.#open.get(socket) ?? 0) + 1
    if (open > PIPELINED_MAX) {
      socket.destroy()
      return false
    }
    this.#open.set(socket, open)
    response.once('close', () => this.#open.set(socket, (this.#open.get(socket) as number) - 1))
    return true
  }
}
