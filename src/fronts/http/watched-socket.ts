import type { Socket } from 'node:net'
import { ReadingDeadline, type Watched } from '../watch.ts'
import { UNREAD_MS_MAX } from './limits.ts'

/** A connection of HTTP, whether it is on the express lane or node:http's, whose own deadlines are for requests. */
export class WatchedSocket implements Watched {
  readonly #socket: Socket
  readonly #reading = new ReadingDeadline()

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get heldBytes(): number {
    return this.#socket.writableLength
  }

  isOverdue(nowMs: number): boolean {
    const { bytesWritten, writableLength } = this.#socket
    return this.#reading.isMissed(bytesWritten, writableLength, nowMs, UNREAD_MS_MAX)
  }

  cut(): void {
    // Else the system would keep megabytes for a client that does not read, for minutes.
    this.#socket.resetAndDestroy()
  }
}
