/**
 * Memory for commands that do not fit into one packet, used again. V8 counts what is made anew, and looks through its whole heap
 * after each 64 MB of it, which stops everybody for 6 ms.
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

  /** Takes back what `take` gave. Nobody may use it any more. Where there is no room, smaller ones make it. */
  give(buffer: Buffer): void {
    const size = buffer.length
    for (const smaller of [...this.#free.keys()].sort((a, b) => a - b))
      while (smaller < size && this.#freeBytes + size > this.#bytesMax && this.#free.get(smaller)?.pop())
        this.#freeBytes -= smaller
    if (this.#freeBytes + size > this.#bytesMax) return
    this.#freeBytes += size
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [buffer])
    else free.push(buffer)
  }
}
