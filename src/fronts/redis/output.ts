import type { Id } from '../../core/id.ts'

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const DOLLAR = 0x24
const ZERO = 0x30

/** Type, two digits of length, 19 digits, two line ends. */
const ID_REPLY_BYTES_MAX = 32

/** 2^31 - 1: up to here `| 0` truncates a quotient, and V8 divides integers. */
const INT32_MAX = 0x7fff_ffff

/** Memory that it grew by is kept up to so many times the least: a large reply behind those of a whole turn takes twice as much. */
const KEPT_TIMES = 4

/** Replies in one piece of memory, which is used again. */
export class Output {
  readonly #bytesMin: number
  #bytes: Buffer
  /** Where that begins which is not cut off yet, and where it ends. */
  #start = 0
  #end = 0

  /** Starts with `bytesMin` bytes and grows as it is written to. */
  constructor(bytesMin: number) {
    this.#bytesMin = bytesMin
    this.#bytes = Buffer.allocUnsafeSlow(bytesMin)
  }

  /** Of what was written since the last `cutOff`. */
  get length(): number {
    return this.#end - this.#start
  }

  /** What was written since the last one. A view: its memory is written to again after `clear`. */
  cutOff(): Buffer {
    const piece = this.#bytes.subarray(this.#start, this.#end)
    this.#start = this.#end
    return piece
  }

  /** Takes back what was written since the last `cutOff`. */
  drop(): void {
    this.#end = this.#start
  }

  /** Begins anew, in the same memory: nobody has a view of it any more. */
  clear(): void {
    this.#start = 0
    this.#end = 0
    if (this.#bytes.length > KEPT_TIMES * this.#bytesMin) this.#bytes = Buffer.allocUnsafeSlow(this.#bytesMin)
  }

  /** Begins anew, and leaves its memory to whoever has a view of it. */
  leave(): void {
    this.#start = 0
    this.#end = 0
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytesMin)
  }

  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#end += this.#bytes.write(text, this.#end)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** An id as an integer reply, `:501\r\n`. */
  integer(id: Id): void {
    this.#reserve(ID_REPLY_BYTES_MAX)
    this.#bytes[this.#end++] = COLON
    this.#digits(id, typeof id === 'number' ? digitsOf(id) : 0)
    this.#lineEnd()
  }

  /** An id as a bulk string, `$3\r\n501\r\n`: exact in every client, also beyond 2^53. */
  bulkId(id: Id): void {
    this.#reserve(ID_REPLY_BYTES_MAX)
    this.#bytes[this.#end++] = DOLLAR
    const digits = typeof id === 'number' ? digitsOf(id) : String(id).length
    this.#digits(digits, digits < 10 ? 1 : 2)
    this.#lineEnd()
    this.#digits(id, digits)
    this.#lineEnd()
  }

  /**
   * Digits straight into the buffer: with a string between, pipelines of 64 INCRs run at two thirds of the rate.
   */
  #digits(value: Id, count: number): void {
    if (typeof value === 'bigint') {
      this.#end += this.#bytes.write(String(value), this.#end, 'latin1')
      return
    }
    const bytes = this.#bytes
    let at = this.#end + count
    this.#end = at
    let rest = value
    while (rest > INT32_MAX) {
      const quotient = Math.floor(rest / 10)
      bytes[--at] = ZERO + (rest - quotient * 10)
      rest = quotient
    }
    let small = rest | 0
    do {
      const quotient = (small / 10) | 0
      bytes[--at] = ZERO + (small - quotient * 10)
      small = quotient
    } while (small > 0)
  }

  #lineEnd(): void {
    this.#bytes[this.#end++] = CR
    this.#bytes[this.#end++] = LF
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    // What was cut off stays where it is, with those who have views of it.
    const { length } = this
    const grown = Buffer.allocUnsafeSlow(Math.max(length + bytes, 2 * this.#bytes.length))
    this.#bytes.copy(grown, 0, this.#start, this.#end)
    this.#bytes = grown
    this.#start = 0
    this.#end = length
  }
}

/** How many decimal digits a whole number from 0 to 2^53-1 has. */
function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}
