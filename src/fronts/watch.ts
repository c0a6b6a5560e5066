/** A connection that is watched. */
export interface Watched {
  /** Bytes of it in memory: of a request that is not whole, and of replies that the client has not read. */
  readonly heldBytes: number
  /** Whether the client has taken too long over what it has to end. Asked often. */
  isOverdue(nowMs: number): boolean
  /** Ends it at once. */
  cut(): void
}

/** How often all connections are looked at. Also how much later than its time one may be cut. */
const LOOK_MS = 500

/** Bytes read and written after which they are looked at sooner: so far may clients be above their limit together. */
const LOOK_BYTES = 4_194_304

/**
 * Watches the connections of one front: cuts those whose clients are too slow and, where all together hold more than
 * `heldBytesMax`, those that hold the most (I9). One timer for all, so that an ordinary request pays nothing for it.
 */
export class Watch {
  readonly #heldBytesMax: number
  readonly #connections = new Set<Watched>()
  readonly #timer: NodeJS.Timeout
  #movedBytes = 0

  constructor(heldBytesMax: number) {
    this.#heldBytesMax = heldBytesMax
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  add(connection: Watched): void {
    this.#connections.add(connection)
  }

  delete(connection: Watched): void {
    this.#connections.delete(connection)
  }

  /** Takes note of bytes that a connection may hold from now on. */
  moved(bytes: number): void {
    this.#movedBytes += bytes
    if (this.#movedBytes >= LOOK_BYTES) this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#movedBytes = 0
    const nowMs = performance.now()
    let heldBytes = 0
    for (const connection of this.#connections) {
      if (connection.isOverdue(nowMs)) connection.cut()
      else heldBytes += connection.heldBytes
    }
    if (heldBytes > this.#heldBytesMax) this.#cutGreatest(heldBytes)
  }

  #cutGreatest(heldBytes: number): void {
    const greatestFirst = [...this.#connections].sort((a, b) => b.heldBytes - a.heldBytes)
    let left = heldBytes
    for (const connection of greatestFirst) {
      if (left <= this.#heldBytesMax) return
      left -= connection.heldBytes
      connection.cut()
    }
  }
}

/** Whether a client reads: all that is written at one time must have left the memory `msMax` later. */
export class ReadingDeadline {
  /** How many bytes must have left. */
  #bytes = 0
  #sinceMs = Number.NaN

  /** `written` and `unread` are bytes: all that were ever written, and those of them that are still in memory. */
  isMissed(written: number, unread: number, nowMs: number, msMax: number): boolean {
    if (unread === 0) this.#bytes = 0
    else if (written - unread >= this.#bytes) {
      this.#bytes = written
      this.#sinceMs = nowMs
    } else return nowMs - this.#sinceMs >= msMax
    return false
  }
}
