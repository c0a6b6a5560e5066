import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type Pieces, readInPieces } from '../read-in-place.ts'
import { CHUNK_REQUESTS_MAX, PIECE_BYTES } from './limits.ts'

const BLANK_LINE = Buffer.from('\r\n\r\n')

type ConnectionListener = (this: Server, socket: Socket) => void

/**
 * Takes over the connections of a server, which must not listen yet.
 *
 * @returns what gives one back to node:http, which then answers all that comes on it. It gets that in pieces: of one packet of 64 kB it
 * would make two thousand requests, whatever becomes of the first, and all others would wait for 30 ms (I9). One that holds so many is not
 * looked at at all, and its connection is cut, as on the lane.
 */
export function takeConnections(server: Server): (socket: Socket) => void {
  const [nodeHttp, ...others] = server.listeners('connection')
  if (nodeHttp === undefined || others.length > 0)
    throw new Error('a server of node:http has one listener for connections')
  server.removeAllListeners('connection')
  return (socket) => {
    readInPieces(socket, httpPieces)
    ;(nodeHttp as ConnectionListener).call(server, socket)
    // It would read by itself, past all streams, if nobody else had listened.
    socket.on('data', nothing).off('data', nothing)
  }
}

/** As node:http gets what has come. */
export const httpPieces: Pieces = {
  bytesMax: PIECE_BYTES,

  /** A body that may be as long has no such number of blank lines. */
  admits(bytes, length) {
    let blankLines = 0
    for (let at = 0; blankLines <= CHUNK_REQUESTS_MAX; blankLines++) {
      at = bytes.indexOf(BLANK_LINE, at) + BLANK_LINE.length
      if (at < BLANK_LINE.length || at > length) return true
    }
    return false
  },

  /** Behind a blank line if there is one: where node:http pauses, since its answers are not read, no request should be half read, or the time for its headers would run out. */
  end(bytes, at, length) {
    if (length - at <= PIECE_BYTES) return length
    const blankLine = bytes.lastIndexOf(BLANK_LINE, at + PIECE_BYTES - BLANK_LINE.length)
    return blankLine > at ? blankLine + BLANK_LINE.length : at + PIECE_BYTES
  },
}

function nothing(): void {}
