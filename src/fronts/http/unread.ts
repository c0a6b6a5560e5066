import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UNREAD_BYTES_MAX, UNREAD_MS_MAX, UNREAD_REPLY_BYTES_MIN } from './limits.ts'

/**
 * Counts the bytes of large replies that clients have not read yet. Node answers every request of a pipeline at once,
 * whether the client reads or not, so that a few hundred kilobytes of requests could ask for gigabytes of ids (I9).
 */
export class UnreadReplies {
  #bytes = 0
  /** Of the sockets that are open. */
  readonly #bySocket = new Map<Socket, Unread>()

  /** Whether so much is unread that no further ids should be taken for large replies. */
  get isFull(): boolean {
    return this.#bytes >= UNREAD_BYTES_MAX
  }

  /** Notes that so many bytes more, or fewer, of replies are to come. */
  expect(bytes: number): void {
    this.#bytes += bytes
  }

  /**
   * Notes a reply that is about to leave. Small ones, as nearly all are, cost nothing. A client that reads nothing of a large one
   * for `UNREAD_MS_MAX` is cut off.
   */
  add(bytes: number, response: ServerResponse): void {
    if (bytes < UNREAD_REPLY_BYTES_MIN) return
    const { socket } = response.req
    if (socket.destroyed) return
    // A response that waits behind others tells nothing when its connection breaks: the socket does.
    if (!this.#bySocket.has(socket)) {
      this.#bySocket.set(socket, { bytes: 0, idleMs: socket.timeout ?? 0 })
      socket.once('close', () => {
        this.#bytes -= (this.#bySocket.get(socket) as Unread).bytes
        this.#bySocket.delete(socket)
      })
    }
    this.#change(socket, bytes)
    response.once('finish', () => this.#change(socket, -bytes))
  }

  #change(socket: Socket, bytes: number): void {
    const unread = this.#bySocket.get(socket)
    if (unread === undefined) return
    unread.bytes += bytes
    this.#bytes += bytes
    socket.setTimeout(unread.bytes > 0 ? UNREAD_MS_MAX : unread.idleMs)
  }
}

interface Unread {
  bytes: number
  /** The socket's own time-out, for when all is read. */
  readonly idleMs: number
}
