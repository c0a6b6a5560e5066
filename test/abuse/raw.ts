import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const received = new WeakMap<Socket, string>()

/** A connection whose bytes are kept. It may be closed at once. */
export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  received.set(socket, '')
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => received.set(socket, received.get(socket) + text))
  socket.on('error', () => socket.destroy())
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()))
  return socket
}

/** All that a server sends until it closes the connection. */
export async function closing(socket: Socket): Promise<string> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return received.get(socket) as string
}

/** What a server answers to bytes until it ends the connection, on each of `connections`. */
export async function exchange(port: number, bytes: string, connections = 1): Promise<string[]> {
  return Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(port)
      socket.write(bytes, 'latin1')
      return closing(socket)
    }),
  )
}

/** Sends `count` requests over `connections`, each behind the last answer, and resolves with all answers. */
export async function flood(
  port: number,
  connections: number,
  request: (i: number) => string,
  count: number,
): Promise<string> {
  let sent = 0
  let answers = ''
  const run = async () => {
    const socket = await open(port)
    while (sent < count) {
      socket.write(request(sent++))
      const [answer] = await once(socket, 'data')
      answers += answer
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, run))
  return answers
}
