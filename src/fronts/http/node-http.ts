import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { readInPieces } from '../read-in-place.ts'
import { PIECE_BYTES } from './limits.ts'

const BLANK_LINE = Buffer.from('\r\n\r\n')

type ConnectionListener = (this: Server, socket: Socket) => void

/**
 * Takes over the connections of a server, which must not listen yet.
 *
 * @returns what gives one back to node:http, which then answers all that comes on it. It gets that in pieces: of one packet of 64 kB it
 * would make two thousand requests, whatever becomes of the first, and all others would wait for 30 ms (I9).
 */
export function takeConnections(server: Server): (socket: Socket) => void {
  const [nodeHttp, ...others] = server.listeners('connection')
  if (nodeHttp === undefined || others.length > 0)
    throw new Error('a server of node:http has one listener for connections')
  server.removeAllListeners('connection')
  return (socket) => {
    readInPieces(socket, pieceEnd)
    ;(nodeHttp as ConnectionListener).call(server, socket)
    // It would read by itself, past all streams, if nobody else had listened.
    socket.on('data', nothing).off('data', nothing)
  }
}

/**
 * As much as node:http is given at a time, and behind a blank line if there is one: where it pauses, since its answers are not read, no
 * request should be half read, or the time for its headers would run out.
 */
export function pieceEnd(bytes: Buffer, at: number, end: number): number {
  if (end - at <= PIECE_BYTES) return end
  const blankLine = bytes.lastIndexOf(BLANK_LINE, at + PIECE_BYTES - BLANK_LINE.length)
  return blankLine > at ? blankLine + BLANK_LINE.length : at + PIECE_BYTES
}

function nothing(): void {}
