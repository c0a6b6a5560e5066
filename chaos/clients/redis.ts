import { connect, type Socket } from 'node:net'
import { type Route, type StoreKind, TAGS } from '../fleet.ts'
import { ANSWER_MS_MAX, type Answer, type Client, tagStream } from './client.ts'

const PIPELINE_MAX = 16
const ROW_MAX = 20

interface Command {
  readonly line: string
  readonly stream: string
  /** Ids that it takes: the reply is the last of them. */
  readonly count: number
}

/** Asks over the Redis protocol, many commands at a time. */
export class RedisClient implements Client {
  readonly route: Route
  readonly #port: number
  readonly #store: StoreKind
  readonly #random: () => number
  #socket: Socket | undefined
  /** What to do with bytes, and with a connection that is lost. */
  #read: (chunk: Buffer) => void = () => {}
  #lost: (rest: 'failed' | 'unknown') => void = () => {}

  constructor(instance: { name: string; redisPort: number; store: StoreKind }, random: () => number) {
    this.route = `${instance.name}/redis`
    this.#port = instance.redisPort
    this.#store = instance.store
    this.#random = random
  }

  ask(): Promise<readonly Answer[]> {
    const commands = Array.from({ length: 1 + this.#below(PIPELINE_MAX) }, () => this.#command())
    this.#socket ??= this.#connect()
    const socket = this.#socket
    return new Promise((resolve) => {
      const answers: Answer[] = []
      let text = ''
      const finish = (rest: 'failed' | 'unknown') => {
        clearTimeout(timer)
        while (answers.length < commands.length) answers.push({ outcome: rest })
        resolve(answers)
      }
      const timer = setTimeout(() => this.#lose('unknown'), ANSWER_MS_MAX)
      this.#lost = finish
      this.#read = (chunk) => {
        text += chunk.toString('latin1')
        for (let reply = REPLY.exec(text); reply !== null; reply = REPLY.exec(text)) {
          text = text.slice(reply[0].length)
          answers.push(answerTo(commands[answers.length] as Command, reply[1] ?? reply[2]))
        }
        if (answers.length === commands.length) finish('failed')
      }
      socket.write(commands.map(({ line }) => line).join(''))
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #connect(): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // Nothing listened there: nothing was asked.
      this.#lose(error.code === 'ECONNREFUSED' ? 'failed' : 'unknown'),
    )
    socket.on('close', () => socket === this.#socket && this.#lose('unknown'))
    return socket
  }

  /** Gives up the connection, and with it the answers that have not come. */
  #lose(rest: 'failed' | 'unknown'): void {
    this.close()
    this.#lost(rest)
  }

  #command(): Command {
    const tag = TAGS[this.#below(TAGS.length)] as string
    const stream = tagStream(this.#store, tag)
    switch (this.#below(3)) {
      case 0:
        return { line: `*2\r\n$3\r\nGET\r\n$${tag.length}\r\n${tag}\r\n`, stream, count: 1 }
      case 1:
        return { line: `*2\r\n$4\r\nINCR\r\n$${tag.length}\r\n${tag}\r\n`, stream, count: 1 }
      default: {
        const count = 1 + this.#below(ROW_MAX)
        // An inline command, as a person would type it.
        return { line: `INCRBY ${tag} ${count}\r\n`, stream, count }
      }
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}

/** A whole reply: an integer, a bulk string of digits, or an error, which has no number. */
const REPLY = /^(?::(\d+)\r\n|\$\d+\r\n(\d+)\r\n|-[^\r]*\r\n)/

function answerTo({ stream, count }: Command, digits: string | undefined): Answer {
  if (digits === undefined) return { outcome: 'failed' }
  const last = Number(digits)
  return {
    outcome: 'acknowledged',
    stream,
    ids: Array.from({ length: count }, (_, i) => last - count + 1 + i),
  }
}
