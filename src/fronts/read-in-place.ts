import { Socket } from 'node:net'

/** Takes the first `length` bytes of `bytes`. They are overwritten by the next read of any connection. */
export type Receive = (bytes: Buffer, length: number) => void

/** As much as Node reads at once. */
const SHARED = Buffer.allocUnsafeSlow(65_536)

/** Where a socket keeps what its option `onread` says. */
const [BUFFER, ON_READ] = ['kBuffer', 'kBufferCb'].map((name) =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
)

interface SocketInside {
  readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null
  [key: symbol]: unknown
}

/**
 * Has all that comes on a socket, which a server has just accepted, read into one buffer that all sockets share. Else Node
 * makes a buffer of 64 kB, cuts it down and leaves three objects behind for each read: a bare server that answers from
 * `receive` spends 0.55 of the time outside of the kernel, and 0.85 of all time, that it spends with `data` events.
 *
 * It is the option `onread` of `net.Socket`, which `net.Server` cannot pass on. So it is set from outside, in the way that
 * the constructor sets it; a Node in which that has changed gives `data` events, and is slower. Call `resume()` to begin.
 * `pause()`, `end` and the rest are as ever.
 */
export function readInPlace(socket: Socket, receive: Receive): void {
  const isSet = onRead(socket, (length) => {
    receive(SHARED, length)
    return true
  })
  if (!isSet) socket.on('data', (chunk: Buffer) => receive(chunk, chunk.length))
}

/** How to take apart what comes on a socket. */
export interface Pieces {
  /** Up to so many bytes are one piece. */
  readonly bytesMax: number
  /** Whether to take the first `length` bytes of `bytes`, which are more than that. If not, the socket is destroyed. */
  admits(bytes: Buffer, length: number): boolean
  /** Where the piece that begins at `at` ends: behind `at`, and not behind `length`. */
  end(bytes: Buffer, at: number, length: number): number
}

/**
 * Has what comes on a socket from now on, whether it was read in place before or not, given to its `data` listeners a piece at a time.
 * Between two of them they may pause the socket, or destroy it, which ends it. A piece is theirs for as long as the event lasts: node:http
 * copies what it keeps. With a copy of each for it, and its stream around that, a request through Hono took an eighth more
 * of CPU time outside of the kernel; so it takes what it does where node:http reads by itself.
 */
export function readInPieces(socket: Socket, pieces: Pieces): void {
  const isSet = onRead(socket, (length) => {
    if (length > pieces.bytesMax || socket.readableLength > 0)
      return pushPieces(socket, SHARED, length, pieces)
    socket.emit('data', SHARED.subarray(0, length))
    return true
  })
  if (!isSet) socket.removeAllListeners('data')
}

/** Gives a socket's `data` listeners the first `length` bytes of `bytes`, as `readInPieces` does. False where it should not read on. */
export function pushPieces(socket: Socket, bytes: Buffer, length: number, pieces: Pieces): boolean {
  if (length > pieces.bytesMax && !pieces.admits(bytes, length)) socket.destroy()
  let readsOn = true
  for (let at = 0; at < length && !socket.destroyed; ) {
    const end = pieces.end(bytes, at, length)
    readsOn = socket.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return readsOn
}

/** Has `take` called for what is read into the shared buffer; false from it stops reading. False where this Node cannot do that. */
function onRead(socket: Socket, take: (length: number) => boolean): boolean {
  const inside = socket as unknown as SocketInside
  if (BUFFER === undefined || ON_READ === undefined || inside._handle?.useUserBuffer === undefined)
    return false
  inside[ON_READ] = take
  if (inside[BUFFER] !== SHARED) {
    inside[BUFFER] = SHARED
    inside._handle.useUserBuffer(SHARED)
  }
  return true
}

/** For what is kept longer than `receive` lasts. */
export function copyOf(bytes: Buffer, length: number): Buffer {
  return Buffer.from(bytes.subarray(0, length))
}
