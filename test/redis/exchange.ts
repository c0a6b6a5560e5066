import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A client that knows nothing: bytes out, bytes in, as latin1 text. */
export class RawClient {
  readonly socket: Socket
  #received = ''
  #closed = false
  readonly #wakers = new Set<() => void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.setNoDelay(true)
    socket.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(bytes: string): void {
    this.socket.write(bytes, 'latin1')
  }

  /** Sends, and resolves with what comes back up to `length` bytes, or all that comes before the server closes. */
  async ask(bytes: string, length: number): Promise<string> {
    this.send(bytes)
    return this.receive(length)
  }

  /** What comes next: `length` bytes, or fewer where the server closes. */
  async receive(length: number): Promise<string> {
    while (this.#received.length < length && !this.#closed)
      await new Promise<void>((resolve) => void this.#wakers.add(resolve))
    const text = this.#received.slice(0, length)
    this.#received = this.#received.slice(length)
    return text
  }

  /** Everything until the server closes. */
  async receiveAll(): Promise<string> {
    return this.receive(Number.POSITIVE_INFINITY)
  }

  get closed(): boolean {
    return this.#closed
  }

  close(): void {
    this.socket.destroy()
  }

  #wake(): void {
    const wakers = [...this.#wakers]
    this.#wakers.clear()
    for (const waker of wakers) waker()
  }
}

/** All that a server answers to `chunks` before it closes; ends them with QUIT. */
export async function converse(port: number, chunks: readonly string[]): Promise<string> {
  const client = await RawClient.connect(port)
  for (const chunk of chunks) {
    client.send(chunk)
    // One packet for each: without a turn between, the system would join them.
    if (chunks.length > 1) await new Promise((resolve) => setImmediate(resolve))
  }
  client.send('QUIT\r\n')
  const answer = await client.receiveAll()
  client.close()
  return answer
}
