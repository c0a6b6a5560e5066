import type { BufferPool } from './buffer-pool.ts'

const NO_BYTES: Buffer = Buffer.alloc(0)

/** Less is not worth the pool's room: Node cuts it from a slab, or V8 throws it away with the objects of the same second. */
const POOLED_BYTES_MIN = 8_192

/**
 * What a client has sent and has no answer to yet: `[at, end)` of `bytes`. That is a packet itself while no part of a command is left
 * of the one before it, so that most bytes are never copied.
 */
export class Input {
  readonly #pool: BufferPool
  /** Whose memory `bytes` is: the caller's for as long as `add` and what follows it last, its own, or the pool's. */
  #owner: 'caller' | 'own' | 'pool' = 'own'
  bytes = NO_BYTES
  /** Moved on by whoever has answered something. */
  at = 0
  end = 0

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  get isEmpty(): boolean {
    return this.at === this.end
  }

  /** Memory that it keeps, in bytes. */
  get heldBytes(): number {
    return this.isEmpty ? 0 : this.bytes.length
  }

  /** Adds the first `length` bytes of `packet`. They are the caller's again after the next `keep`. Hot path. */
  add(packet: Buffer, length: number): void {
    if (this.isEmpty) this.#set(packet, length, 'caller')
    else this.#append(packet, length)
  }

  /** Copies what is left where it is the caller's memory, or where a few bytes would keep a whole packet in memory. */
  keep(): void {
    if (this.isEmpty) {
      this.clear()
      return
    }
    if (this.#owner !== 'caller' && this.at === 0) return
    const left = this.bytes.subarray(this.at, this.end)
    if (left.length < POOLED_BYTES_MIN) this.#set(Buffer.from(left), left.length, 'own')
    else {
      const kept = this.#pool.take(left.length)
      kept.set(left)
      this.#set(kept, left.length, 'pool')
    }
  }

  /** Throws away what is left. */
  clear(): void {
    this.#set(NO_BYTES, 0, 'own')
  }

  /** Joins a packet to what is left, which `keep` has moved to the front. Sizes double, which keeps the copying linear. */
  #append(packet: Buffer, length: number): void {
    const left = this.end
    const needed = left + length
    if (needed > this.bytes.length) {
      const grown = this.#pool.take(needed)
      this.bytes.copy(grown, 0, 0, left)
      this.#set(grown, needed, 'pool')
    } else this.end = needed
    packet.copy(this.bytes, left, 0, length)
  }

  #set(bytes: Buffer, length: number, owner: 'caller' | 'own' | 'pool'): void {
    if (this.#owner === 'pool') this.#pool.give(this.bytes)
    this.#owner = owner
    this.bytes = bytes
    this.at = 0
    this.end = length
  }
}
