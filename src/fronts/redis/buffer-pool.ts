/**
 * Memory for commands that do not fit into one packet, used again. V8 counts what is made anew, and looks through its whole heap
 * after each 64 MB of it: a thousand clients that sent a megabyte each stopped everybody 58 times, for 6 ms.
 */
export class BufferPool {
  readonly #bytesMax: number
  /** By size, a power of two. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** Keeps `bytesMax` bytes of free memory at most (I9). */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** At least so many bytes, with anything in them. Whoever takes it may give it back. */
  take(bytes: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(bytes))
    const free = this.#free.get(size)?.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return free
  }

  /** Takes back what `take` gave. Nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#freeBytes + buffer.length > this.#bytesMax) return
    this.#freeBytes += buffer.length
    const free = this.#free.get(buffer.length)
    if (free === undefined) this.#free.set(buffer.length, [buffer])
    else free.push(buffer)
  }
}
