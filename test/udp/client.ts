import { createSocket, type Socket } from 'node:dgram'
import { onTestFinished } from 'vitest'

/** A client of one UDP server on loopback, closed with the test. */
export class UdpClient {
  readonly #socket: Socket
  readonly #port: number
  readonly replies: string[] = []
  #waiting: (() => void)[] = []

  constructor(port: number) {
    this.#port = port
    this.#socket = createSocket('udp4')
    this.#socket.on('message', (reply) => {
      this.replies.push(reply.toString())
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    onTestFinished(() => void this.#socket.close())
  }

  send(datagram: string | Buffer): void {
    this.#socket.send(datagram, this.#port, '127.0.0.1')
  }

  /** The reply to one datagram, parsed. */
  async ask(datagram: string | Buffer | object): Promise<unknown> {
    const isObject = typeof datagram === 'object' && !Buffer.isBuffer(datagram)
    return JSON.parse(await this.askText(isObject ? JSON.stringify(datagram) : datagram))
  }

  /** The first reply to come, of those that hold `text`. */
  async askText(datagram: string | Buffer, text = ''): Promise<string> {
    let known = this.replies.length
    this.send(datagram)
    for (;;) {
      for (; known < this.replies.length; known++)
        if (this.replies[known]?.includes(text)) return this.replies[known] as string
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }
}
