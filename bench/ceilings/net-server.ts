/**
 * The ceiling of the platform: one fixed HTTP response for each chunk that comes, nothing parsed. Only for load
 * without pipelining, where a chunk is a request.
 */
import { createServer } from 'node:net'
import { BODY, HEADERS } from './answer.ts'

const response = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
    `Date: ${new Date().toUTCString()}`,
    '',
    BODY,
  ].join('\r\n'),
)

createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(response))
  // The load generator resets its connections at the end of a round.
  socket.on('error', () => socket.destroy())
}).listen(Number(process.env.PORT), '127.0.0.1')
