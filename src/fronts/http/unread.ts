import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UNREAD_BYTES_MAX, UNREAD_REPLY_BYTES_MIN } from './limits.ts'

/**
 * Counts the bytes of large replies that clients have not read yet. Node answers every request of a pipeline at once,
 * whether the client reads or not, so that a few hundred kilobytes of requests could ask for gigabytes of ids (I9).
 */
export class UnreadReplies {
  #bytes = 0
  /** Of the sockets that are open. */
  readonly #bySocket = new Map<Socket, number>()

  /** Whether so much is unread that no ids should be taken for a reply of this size. */
  refuses(bytes: number): boolean {
    return this.#bytes >= UNREAD_BYTES_MAX && bytes >= UNREAD_REPLY_BYTES_MIN
  }

  /** Notes that so many bytes more, or fewer, of replies are to come. */
  expect(bytes: number): void {
    this.#bytes += bytes
  }

  /** Notes a reply that is about to leave. Small ones, as nearly all are, cost nothing. */
  add(bytes: number, response: ServerResponse): void {
    if (bytes < UNREAD_REPLY_BYTES_MIN) return
    const { socket } = response.req
    if (socket.destroyed) return
    // A response that waits behind others tells nothing when its connection breaks: the socket does.
    if (!this.#bySocket.has(socket)) {
      this.#bySocket.set(socket, 0)
      socket.once('close', () => {
        this.#bytes -= this.#bySocket.get(socket) as number
        this.#bySocket.delete(socket)
      })
    }
    this.#change(socket, bytes)
    response.once('finish', () => this.#change(socket, -bytes))
  }

  #change(socket: Socket, bytes: number): void {
    const unread = this.#bySocket.get(socket)
    if (unread === undefined) return
    this.#bySocket.set(socket, unread + bytes)
    this.#bytes += bytes
  }
}
