import type { Duplex } from 'node:stream'
import type { SequenceError } from '../../core/errors.ts'
import type { Sequence } from '../../core/sequence.ts'
import type { Tally } from '../tally.ts'
import { ReadingDeadline, type Watch, type Watched } from '../watch.ts'
import type { BufferPool } from './buffer-pool.ts'
import { type CommandTable, findCommand, runCommand, type Session } from './command.ts'
import { DecodeProgress, type DecoderLimits, decode } from './decoder.ts'
import { Input } from './input.ts'
import { COMMAND_MS_MAX, LINGER_MS, REPEATED_BYTES_MAX, TURN_BYTES } from './limits.ts'
import type { NamedIds } from './named-ids.ts'
import type { Output } from './output.ts'
import type { Replies, Sender } from './replies.ts'
import { encode, err, type Protocol, type Reply } from './reply.ts'
import type { Turns } from './turns.ts'

export interface ConnectionLimits extends DecoderLimits {
  /** Replies not yet read by the client at which no more of its commands are looked at. */
  readonly outputBytesMax: number
  /** How long a reply may wait for its client to read it. */
  readonly unreadMsMax: number
  /** How long a client may say nothing; 0: for ever. */
  readonly idleMsMax: number
}

/** What all connections of a front share. */
export interface ConnectionOptions {
  readonly commands: CommandTable
  readonly ids: NamedIds
  readonly tally: Tally
  /** Every connection posts what it wrote before it returns. */
  readonly replies: Replies
  readonly limits: ConnectionLimits
  readonly pool: BufferPool
  readonly turns: Turns
  readonly watch: Watch
  readonly authenticated: boolean
}

/** A client's socket, or what stands for it. */
export type Wire = Duplex & { setTimeout(ms: number): unknown; resetAndDestroy(): unknown }

/**
 * - `reading`: commands are answered as they come.
 * - `waiting`: one command waits for the store, or a client that sends or asks for much until others had their turn. The wire is paused
 *   and what came behind that command is kept, so that replies keep the order of their commands and a client cannot send more
 *   than one packet ahead.
 * - `blocked`: the client has too many replies to read. The wire is paused likewise.
 * - `closing`: the last replies are on their way; what the client still sends is thrown away.
 * - `closed`: the wire is gone.
 */
type State = 'reading' | 'waiting' | 'blocked' | 'closing' | 'closed'

/**
 * One client: its bytes in, its replies out, in the order of its commands.
 *
 * Transitions: reading → waiting → reading around a command that needs the store, and after `TURN_BYTES` in or out; reading → blocked → reading when
 * the client does not read, then does; any → closing on QUIT, on a protocol error, or when the front drains (from
 * waiting only behind the reply); any → closed.
 */
export class Connection implements Session, Watched, Sender {
  readonly id: number
  protocol: Protocol = 2
  name = ''

  readonly #wire: Wire
  readonly #options: ConnectionOptions
  readonly #output: Output
  readonly #progress = new DecodeProgress()

  #state: State = 'reading'
  #authenticated: boolean
  /** Since when it may send but a few commands. */
  #unauthenticatedSinceMs = performance.now()
  #quits = false
  #linger: NodeJS.Timeout | undefined

  readonly #input: Input
  /** Since when there is a part of a command; 0 where there is none. */
  #partSinceMs = 0

  /** Bytes of replies given to the wire, and by when they must be read. */
  #sentBytes = 0
  readonly #reading = new ReadingDeadline()

  /** The last GET or INCR: its bytes, its sequence, and how the id leaves. */
  #repeatedBytes: Buffer = Buffer.alloc(0)
  #repeatedLength = 0
  #repeatedSequence: Sequence | undefined
  #repeatedType: 'bulk' | 'integer' = 'bulk'

  constructor(id: number, wire: Wire, options: ConnectionOptions) {
    this.id = id
    this.#wire = wire
    this.#options = options
    this.#output = options.replies.output
    this.#input = new Input(options.pool)
    this.#authenticated = options.authenticated
    wire.setTimeout(options.limits.idleMsMax)
    wire.on('timeout', () => {
      // A command that waits for the store has a deadline of its own.
      if (this.#state !== 'waiting') wire.destroy()
    })
    wire.on('error', () => wire.destroy())
    options.watch.add(this)
    wire.on('close', () => {
      options.watch.delete(this)
      this.#state = 'closed'
      this.#input.clear()
      this.#repeatedSequence = undefined
      clearTimeout(this.#linger)
    })
  }

  get authenticated(): boolean {
    return this.#authenticated
  }

  set authenticated(value: boolean) {
    if (this.#authenticated && !value) this.#unauthenticatedSinceMs = performance.now()
    this.#authenticated = value
    this.#repeatedSequence = undefined
  }

  get heldBytes(): number {
    return this.#wire.writableLength + this.#input.heldBytes
  }

  isOverdue(nowMs: number): boolean {
    const { unreadMsMax } = this.#options.limits
    return (
      this.#reading.isMissed(this.#sentBytes, this.#wire.writableLength, nowMs, unreadMsMax) ||
      (!this.#authenticated && nowMs - this.#unauthenticatedSinceMs >= COMMAND_MS_MAX) ||
      (this.#partSinceMs > 0 && nowMs - this.#partSinceMs >= COMMAND_MS_MAX)
    )
  }

  quit(): void {
    this.#quits = true
  }

  cut(): void {
    // Replies to commands before it in the packet must not be left in there for the next connection.
    this.#output.drop()
    // Else the system would keep megabytes for a client that does not read, for minutes.
    this.#wire.resetAndDestroy()
    this.#state = 'closed'
  }

  failed(error: SequenceError): void {
    this.#options.tally.failed(error)
  }

  /** Closes it behind the reply to the command that it works on. What came after that is not answered. */
  drain(): void {
    if (this.#state === 'waiting') this.#quits = true
    else if (this.#state === 'reading' || this.#state === 'blocked') this.#close()
  }

  /** Takes what the client has sent: the first `length` bytes of `packet`, which is the caller's again afterwards. Hot path. */
  receive(packet: Buffer, length: number): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#input.add(packet, length)
    this.#answer()
    this.#input.keep()
    // More is behind what fills a buffer: the system would hand over 2 MB of it at once.
    if (length >= TURN_BYTES && this.#state === 'reading') this.#yield()
    this.#options.watch.moved(length)
  }

  /** Gives replies to the wire. Then no more commands are answered until the client reads, if it has too many to read. */
  send(replies: Buffer): boolean {
    const wire = this.#wire
    if (wire.destroyed) return true
    this.#sentBytes += replies.length
    wire.write(replies)
    this.#options.watch.moved(replies.length)
    // Below Node's own high-water mark there would be no `drain` to go on from.
    if (
      this.#state === 'reading' &&
      wire.writableLength >= this.#options.limits.outputBytesMax &&
      wire.writableNeedDrain
    )
      this.#block()
    // Node gives small writes to the system at once; then nobody holds the memory any more, and to use it again saves
    // a tenth of the time of a single command. Where the system did not take all of it, the wire holds a view.
    return wire.writableLength === 0
  }

  /** Answers what has come, until it ends, or something must be waited for. */
  #answer(): void {
    const { commands, limits } = this.#options
    const outputBytesMax = Math.min(TURN_BYTES, limits.outputBytesMax)
    const input = this.#input
    while (!input.isEmpty) {
      this.#answerRepeated(outputBytesMax)
      if (this.#output.length >= outputBytesMax) {
        this.#flush()
        if (this.#state === 'reading') this.#yield()
        return
      }
      const decoded = decode(this.#progress, input.bytes, input.at, input.end, limits, this.#authenticated)
      if (decoded.type === 'incomplete') break
      if (decoded.type === 'error') {
        this.#write(err(decoded.message))
        this.#close()
        return
      }
      const { args, bytes } = decoded
      const start = input.at
      input.at += bytes
      this.#partSinceMs = 0
      if (args.length === 0) continue
      const command = findCommand(commands, args, this.#authenticated)
      if ('type' in command) {
        this.#write(command)
        continue
      }
      const reply = runCommand(command, args, this)
      if (reply instanceof Promise) {
        this.#wait(reply)
        return
      }
      if (this.#isClosed()) return
      this.#write(reply)
      if (this.#quits) {
        this.#close()
        return
      }
      if (command.repeats !== undefined && reply.type !== 'error')
        this.#remember(command.repeats, args[1] as Buffer, start)
    }
    if (!input.isEmpty && this.#partSinceMs === 0) this.#partSinceMs = performance.now()
    this.#options.replies.post(this)
  }

  /**
   * Answers the last GET or INCR again for as long as the same bytes come, without reading them: no string, no object
   * and no promise is made for an id. Pipelines of 64 run at four times the rate, of 16 at twice the rate, and single
   * commands at 1.2 times the rate that they have with every command read.
   *
   * A sequence that was removed holds no ids, so it is noticed here like one that must wait for the store.
   */
  #answerRepeated(outputBytesMax: number): void {
    const sequence = this.#repeatedSequence
    if (sequence === undefined) return
    const output = this.#output
    const { bytes, end } = this.#input
    const repeated = this.#repeatedBytes
    const length = this.#repeatedLength
    const isBulk = this.#repeatedType === 'bulk'
    const last = end - length
    let at = this.#input.at
    next: while (at <= last && sequence.left > 0 && output.length < outputBytesMax) {
      // Backwards: commands differ in their keys before they differ in their names.
      for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== repeated[i]) break next
      // The buffer is not empty, so the id is there at once.
      if (isBulk) output.bulkId(sequence.take() as number | bigint)
      else output.integer(sequence.take() as number | bigint)
      at += length
    }
    if (at === this.#input.at) return
    this.#options.tally.issued += (at - this.#input.at) / length
    this.#input.at = at
    this.#partSinceMs = 0
    this.#progress.reset()
  }

  #remember(type: 'bulk' | 'integer', name: Buffer, start: number): void {
    const length = this.#input.at - start
    if (length > REPEATED_BYTES_MAX) return
    this.#repeatedSequence = this.#options.ids.held(name.toString())
    this.#repeatedType = type
    if (this.#repeatedBytes.length === 0) this.#repeatedBytes = Buffer.allocUnsafeSlow(REPEATED_BYTES_MAX)
    this.#input.bytes.copy(this.#repeatedBytes, 0, start, this.#input.at)
    this.#repeatedLength = length
  }

  #wait(reply: Promise<Reply>): void {
    this.#state = 'waiting'
    this.#wire.pause()
    // What was answered before need not wait.
    this.#options.replies.post(this)
    reply.then((settled) => {
      if (this.#isClosed()) return
      this.#state = 'reading'
      this.#write(settled)
      this.#goOn()
    })
  }

  /** Lets others have their turn. */
  #yield(): void {
    this.#state = 'waiting'
    this.#wire.pause()
    this.#options.turns.wait(() => {
      if (this.#isClosed()) return
      this.#state = 'reading'
      // The client is not to blame for the time that its turn took to come.
      if (this.#partSinceMs > 0) this.#partSinceMs = performance.now()
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#quits) {
      this.#close()
      return
    }
    this.#answer()
    this.#input.keep()
    if (this.#state === 'reading') this.#wire.resume()
  }

  /** A method, since the state changes behind the compiler's back. */
  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #write(reply: Reply): void {
    encode(reply, this.protocol, this.#output)
  }

  #block(): void {
    this.#state = 'blocked'
    this.#wire.pause()
    this.#wire.once('drain', () => {
      if (this.#state !== 'blocked') return
      this.#state = 'reading'
      this.#goOn()
    })
  }

  #flush(): void {
    this.#options.replies.post(this)
    this.#options.replies.flush()
  }

  /** What the client still sends is read and thrown away: unread, it would make the system discard the last replies. */
  #close(): void {
    this.#state = 'closing'
    this.#flush()
    this.#input.clear()
    this.#partSinceMs = 0
    this.#wire.end(() => {
      this.#linger = setTimeout(() => this.#wire.destroy(), LINGER_MS)
    })
    this.#wire.resume()
  }
}
