import { connect, type Socket } from 'node:net'

/**
 * Connections that send `request` a number of times at once, and again when all replies have come. One that breaks is made
 * anew. Much faster than an HTTP or a Redis client, so that a test has its ids soon.
 */
export class PipelinedLoad {
  /** The ids of each connection that was ever made. */
  readonly ids: string[][] = []
  /** Replies that are not ids. */
  readonly refusals: string[] = []
  readonly #request: string
  readonly #reply: RegExp
  readonly #depth: number
  readonly #sockets = new Set<Socket>()
  readonly #ended: Promise<void>[]
  #stopping = false

  /** `reply` matches a whole one, with an id as its group, or with none where there is no id. */
  constructor(port: number, connections: number, depth: number, request: string, reply: RegExp) {
    this.#request = request.repeat(depth)
    this.#reply = new RegExp(reply, 'gs')
    this.#depth = depth
    this.#ended = Array.from({ length: connections }, async () => {
      while (!this.#stopping) await this.#run(port)
    })
  }

  get count(): number {
    return this.ids.reduce((sum, { length }) => sum + length, 0)
  }

  /** Cuts the connections. What was on its way to them is a gap. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#ended)
  }

  #run(port: number): Promise<void> {
    return new Promise((resolve) => {
      const ids: string[] = []
      this.ids.push(ids)
      const socket = connect(port, '127.0.0.1').setEncoding('latin1')
      this.#sockets.add(socket)
      let text = ''
      let replies = 0
      const ask = () => {
        replies = 0
        socket.write(this.#request)
      }
      socket.on('connect', ask)
      socket.on('data', (chunk: string) => {
        text += chunk
        let read = 0
        for (const match of text.matchAll(this.#reply)) {
          const [reply, id] = match
          if (id === undefined) this.refusals.push(reply)
          else ids.push(id)
          read = match.index + reply.length
          replies++
        }
        text = text.slice(read)
        if (replies === this.#depth) ask()
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        resolve()
      })
    })
  }
}
