import { splitInline } from './inline.ts'

/** What one command may hold. A longer one is a protocol error. */
export interface DecoderLimits {
  readonly argumentsMax: number
  readonly bulkBytesMax: number
  /** Of an inline command, and of the line of a length. */
  readonly inlineBytesMax: number
  readonly commandBytesMax: number
  /** The same for clients that have not authenticated yet. */
  readonly unauthenticatedArgumentsMax: number
  readonly unauthenticatedBulkBytesMax: number
}

/** What the bytes amount to so far. */
export type Decoded =
  /** A whole command of `bytes` bytes. `args` is empty where redis-server answers nothing: an empty line, `*0`, `*-1`. */
  | { readonly type: 'command'; readonly args: readonly Buffer[]; readonly bytes: number }
  /** The start of a command. `progress` knows how far it was read. */
  | { readonly type: 'incomplete' }
  /** Not the protocol. `message` is redis-server's; where the next command starts cannot be known. */
  | { readonly type: 'error'; readonly message: string }

/**
 * How far an incomplete command was read, counted from its first byte, so that no byte is looked at twice however
 * it comes in. One object serves a whole connection: it stands at a command's start again after each command.
 */
export class DecodeProgress {
  /** Where the next line or argument starts. */
  position = 0
  /** Up to where the line that starts there was searched for its end. */
  searched = 0
  /** Arguments still to come; -1 before their number is known. */
  argumentsLeft = -1
  /** Length of the argument at `position`; -1 before it is known. */
  bulkLength = -1
  /** Start and end of each argument. */
  spans: number[] = []

  reset(): void {
    this.position = 0
    this.searched = 0
    this.argumentsLeft = -1
    this.bulkLength = -1
    // Kept while it is small: an array for each command costs more than to empty one.
    if (this.spans.length > 64) this.spans = []
    else this.spans.length = 0
  }
}

const ASTERISK = 0x2a
const DOLLAR = 0x24
const CR = 0x0d
const LF = 0x0a

const INCOMPLETE: Decoded = { type: 'incomplete' }

/**
 * Decodes the command that starts at `start` from the bytes up to `end`: RESP's array of bulk strings, or a line
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/). Where it is incomplete, ask again with the same
 * bytes and more; they may lie elsewhere by then. The arguments are views of `bytes`, not copies.
 *
 * As lenient as redis-server: the two bytes after an argument are not looked at, nor is the one after a CR.
 */
export function decode(
  progress: DecodeProgress,
  bytes: Buffer,
  start: number,
  end: number,
  limits: DecoderLimits,
  authenticated: boolean,
): Decoded {
  if (start === end) return INCOMPLETE
  const decoded =
    bytes[start] === ASTERISK
      ? decodeArray(progress, bytes, start, end, limits, authenticated)
      : decodeInline(progress, bytes, start, end, limits)
  if (decoded.type === 'command') progress.reset()
  return decoded
}

function decodeInline(
  progress: DecodeProgress,
  bytes: Buffer,
  start: number,
  end: number,
  { inlineBytesMax }: DecoderLimits,
): Decoded {
  const searchEnd = Math.min(end, start + inlineBytesMax + 1)
  const lf = find(LF, bytes, start + progress.searched, searchEnd)
  if (lf === -1) {
    progress.searched = searchEnd - start
    return progress.searched > inlineBytesMax ? error('too big inline request') : INCOMPLETE
  }
  const lineEnd = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf
  const args = splitInline(bytes.subarray(start, lineEnd))
  return args === undefined ? error('unbalanced quotes in request') : command(args, lf + 1 - start)
}

function decodeArray(
  progress: DecodeProgress,
  bytes: Buffer,
  start: number,
  end: number,
  limits: DecoderLimits,
  authenticated: boolean,
): Decoded {
  if (progress.argumentsLeft === -1) {
    const cr = findLineEnd(progress, bytes, start, end, limits)
    if (cr === -2) return error('too big mbulk count string')
    if (cr === -1) return INCOMPLETE
    const count = parseInteger(bytes, start + 1, cr)
    if (count === undefined || count > limits.argumentsMax) return error('invalid multibulk length')
    if (!authenticated && count > limits.unauthenticatedArgumentsMax)
      return error('unauthenticated multibulk length')
    nextLine(progress, cr + 2 - start)
    progress.argumentsLeft = Math.max(0, count)
  }
  while (progress.argumentsLeft > 0) {
    if (progress.bulkLength === -1) {
      const cr = findLineEnd(progress, bytes, start, end, limits)
      if (cr === -2) return error('too big bulk count string')
      if (cr === -1) return INCOMPLETE
      const first = bytes[start + progress.position] as number
      if (first !== DOLLAR) return error(`expected '$', got '${String.fromCharCode(first)}'`)
      const length = parseInteger(bytes, start + progress.position + 1, cr)
      if (length === undefined || length < 0 || length > limits.bulkBytesMax)
        return error('invalid bulk length')
      if (!authenticated && length > limits.unauthenticatedBulkBytesMax)
        return error('unauthenticated bulk length')
      nextLine(progress, cr + 2 - start)
      if (progress.position + length + 2 > limits.commandBytesMax) return error('too big command')
      progress.bulkLength = length
    }
    const bulkEnd = progress.position + progress.bulkLength
    if (start + bulkEnd + 2 > end) return INCOMPLETE
    progress.spans.push(progress.position, bulkEnd)
    nextLine(progress, bulkEnd + 2)
    progress.bulkLength = -1
    progress.argumentsLeft--
  }
  const { spans } = progress
  const args: Buffer[] = []
  for (let i = 0; i < spans.length; i += 2)
    args.push(bytes.subarray(start + (spans[i] as number), start + (spans[i + 1] as number)))
  return command(args, progress.position)
}

/** Where the CR of the line at `progress.position` is; -1 while it or the byte after it is to come, -2 where the line is too long. */
function findLineEnd(
  progress: DecodeProgress,
  bytes: Buffer,
  start: number,
  end: number,
  { inlineBytesMax }: DecoderLimits,
): number {
  const searchEnd = Math.min(end, start + progress.position + inlineBytesMax + 1)
  const cr = find(CR, bytes, start + progress.searched, searchEnd)
  if (cr === -1) {
    progress.searched = searchEnd - start
    return progress.searched - progress.position > inlineBytesMax ? -2 : -1
  }
  progress.searched = cr - start
  return cr + 1 < end ? cr : -1
}

function nextLine(progress: DecodeProgress, position: number): void {
  progress.position = position
  progress.searched = position
}

/** Not `indexOf`: lines are a few bytes long, and the call costs more than the loop. */
function find(byte: number, bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === byte) return at
  return -1
}

/** A decimal integer as redis-server's string2ll takes it: no sign but `-`, no leading zero, no space. Exact to 15 digits. */
function parseInteger(bytes: Buffer, from: number, to: number): number | undefined {
  const negative = bytes[from] === 0x2d
  const first = negative ? from + 1 : from
  if (first === to) return undefined
  if (bytes[first] === 0x30) return to - first === 1 && !negative ? 0 : undefined
  // 15 digits are beyond every length that is allowed, and exact.
  if (to - first > 15) return undefined
  let value = 0
  for (let at = first; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}

function command(args: readonly Buffer[], bytes: number): Decoded {
  return { type: 'command', args, bytes }
}

function error(message: string): Decoded {
  return { type: 'error', message: `Protocol error: ${message}` }
}
