import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import { SequenceError, shuttingDown } from '../../core/errors.ts'
import type { Rules } from '../../rules/rules.ts'
import type { FrontFigures } from '../../status/front-figures.ts'
import { answerRule, failure, type RuleReply, RuleRequest } from '../rule-reply.ts'
import { Tally } from '../tally.ts'
import { PENDING_MAX, RECEIVE_BUFFER_BYTES, REPLY_BYTES_MAX, REQUEST_BYTES_MAX } from './limits.ts'
import { createNetworkFilter } from './networks.ts'
import { RequestReader } from './request.ts'

export interface UdpFrontOptions {
  readonly host: string | undefined
  readonly port: number
  /** Who may ask; everybody where it is empty. Others get no answer. */
  readonly networks: readonly string[]
  readonly rules: Rules
}

const NO_REQUEST = new RuleRequest()

/** The UDP front: one JSON datagram in, one out. */
export class UdpFront {
  readonly #options: UdpFrontOptions
  readonly #isAllowed: (address: string) => boolean
  #socket: Socket | undefined
  readonly #reader = new RequestReader()
  readonly #tally = new Tally()
  #received = 0
  #dropped = 0
  #refused = 0
  #pending = 0
  #isDraining = false
  #drained: (() => void) | undefined

  constructor(options: UdpFrontOptions) {
    this.#options = options
    this.#isAllowed = createNetworkFilter(options.networks)
  }

  /** Binds the port. Rejects with the system's error (EADDRINUSE, EACCES, …). Resolves to the address it got. */
  async listen(): Promise<AddressInfo> {
    const { host } = this.#options
    if (host !== undefined) {
      const { address, family } = await lookup(host)
      return this.#bind(address, family === 6 ? 'udp6' : 'udp4')
    }
    try {
      return await this.#bind('::', 'udp6')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error
      return this.#bind('0.0.0.0', 'udp4')
    }
  }

  get figures(): FrontFigures {
    const { issued, failures } = this.#tally
    const datagrams = { received: this.#received, dropped: this.#dropped, refused: this.#refused }
    return { issued, failures, connections: null, connectionsRefused: null, datagrams }
  }

  /** Answers what it has taken, and all else with SHUTTING_DOWN, until nothing waits or `deadlineMs` is over; then it closes. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    if (this.#pending > 0)
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, deadlineMs)
        this.#drained = () => {
          clearTimeout(deadline)
          resolve()
        }
      })
    const socket = this.#socket
    this.#socket = undefined
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #bind(address: string, type: 'udp4' | 'udp6'): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type,
        // Addresses are all that is ever asked for: no resolver, and no turn of the event loop, for each reply.
        lookup: (name, _options, callback) => callback(null, name, type === 'udp6' ? 6 : 4),
      })
      socket.once('error', (error) => {
        socket.close()
        reject(error)
      })
      socket.bind(this.#options.port, address, () => {
        socket.removeAllListeners('error')
        // An answer that cannot be sent is lost, as any datagram may be.
        socket.on('error', () => {})
        socket.on('message', (datagram, from) => this.#answer(datagram, from))
        growReceiveBuffer(socket)
        this.#socket = socket
        resolve(socket.address())
      })
    })
  }

  #answer(datagram: Buffer, from: RemoteInfo): void {
    this.#received++
    // Nobody can be answered at port 0.
    const isAnswerable = from.port !== 0 && this.#isAllowed(from.address)
    const request = isAnswerable ? this.#reader.read(datagram) : undefined
    if (request === undefined) {
      this.#dropped++
      return
    }
    const refusal = this.#refusal(datagram)
    if (refusal !== undefined) {
      this.#refused++
      this.#tally.failed(refusal)
      this.#send(failure(request, refusal), from)
      return
    }
    const reply = answerRule(this.#options.rules, request)
    if (!(reply instanceof Promise)) {
      this.#tally.count(reply)
      this.#send(reply, from)
      return
    }
    this.#pending++
    void reply.then((late) => {
      this.#tally.count(late)
      this.#send(late, from)
      if (--this.#pending === 0) this.#drained?.()
    })
  }

  #refusal({ length }: Buffer): SequenceError | undefined {
    if (this.#isDraining) return shuttingDown()
    if (length > REQUEST_BYTES_MAX)
      return new SequenceError('BAD_REQUEST', `a datagram must not be longer than ${REQUEST_BYTES_MAX} bytes`)
    if (this.#pending >= PENDING_MAX)
      return new SequenceError('TOO_MANY_WAITERS', `${this.#pending} requests wait already; try again later`)
    return undefined
  }

  #send(reply: RuleReply, { port, address }: RemoteInfo): void {
    let body = Buffer.from(reply.body)
    if (body.length > REPLY_BYTES_MAX) {
      const error =
        reply.error ??
        new SequenceError('BAD_REQUEST', `the reply would be longer than ${REPLY_BYTES_MAX} bytes: send less`)
      body = Buffer.from(failure(NO_REQUEST, error).body)
    }
    // Without a callback: what cannot be sent is lost anyway, and each callback would cost 0.2 µs.
    this.#socket?.send(body, port, address)
  }
}

function growReceiveBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // The system's own size will do.
  }
}
