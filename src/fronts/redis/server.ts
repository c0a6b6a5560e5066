import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Sequences } from '../../core/sequences.ts'
import type { SegmentStore } from '../../core/store.ts'
import type { FrontFigures } from '../../status/front-figures.ts'
import { type ListenOptions, listen } from '../listen.ts'
import { readInPlace } from '../read-in-place.ts'
import { Tally } from '../tally.ts'
import { Watch } from '../watch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Connection, type ConnectionLimits, type ConnectionOptions } from './connection.ts'
import { connectionCommands } from './connection-commands.ts'
import { FULL_CONNECTIONS_MAX, KEEP_ALIVE_PROBE_MS, OUTPUT_BYTES_MIN, POOL_BYTES_MAX } from './limits.ts'
import { NamedIds } from './named-ids.ts'
import { Replies } from './replies.ts'
import { sequenceCommands } from './sequence-commands.ts'
import { withServerCommands } from './server-commands.ts'
import { Turns } from './turns.ts'

export interface RedisFrontOptions extends ConnectionLimits, ListenOptions {
  /** Clients must give it in AUTH or HELLO; undefined: nobody need. */
  readonly password: string | undefined
  readonly sequences: Sequences
  readonly segments: SegmentStore
  /** Connections above this are told so and closed as they come. */
  readonly connectionsMax: number
  /** Most ids that one command may take. */
  readonly requestIdsMax: number
}

/** The Redis front: a listening TCP server that any Redis client can talk to. */
export class RedisFront {
  readonly #options: RedisFrontOptions
  readonly #server: Server
  readonly #connectionOptions: ConnectionOptions
  readonly #connections = new Map<Socket, Connection>()
  readonly #watch: Watch
  readonly #startedMs = performance.now()
  readonly #tally = new Tally()
  #connectionsEver = 0
  #connectionsRefused = 0

  constructor(options: RedisFrontOptions) {
    this.#options = options
    const tally = this.#tally
    this.#watch = new Watch(FULL_CONNECTIONS_MAX * (options.commandBytesMax + options.outputBytesMax))
    const ids = new NamedIds(options.sequences, options.segments, tally)
    const commands = new Map([
      ...sequenceCommands(ids, options.requestIdsMax),
      ...connectionCommands(options.password),
    ])
    this.#connectionOptions = {
      commands: withServerCommands(commands, () => this.#serverFigures(), settings(options)),
      ids,
      tally,
      replies: new Replies(OUTPUT_BYTES_MIN),
      limits: options,
      pool: new BufferPool(POOL_BYTES_MAX),
      turns: new Turns(),
      watch: this.#watch,
      authenticated: options.password === undefined,
    }
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS },
      (socket) => this.#accept(socket),
    )
  }

  get figures(): FrontFigures {
    const { issued, failures } = this.#tally
    const connections = this.#connections.size
    return { issued, failures, connections, connectionsRefused: this.#connectionsRefused, datagrams: null }
  }

  /** Binds the port, as `listen` does. */
  listen(): Promise<AddressInfo> {
    return listen(this.#server, this.#options)
  }

  /**
   * Takes no more connections and closes each open one behind the reply to the command that it works on. What is
   * still open after `deadlineMs` is cut. Resolves when no connection is left.
   */
  async drain(deadlineMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections.values()) connection.drain()
    const cut = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy()
    }, deadlineMs)
    await closed
    clearTimeout(cut)
    this.#watch.close()
  }

  #accept(socket: Socket): void {
    this.#connectionsEver++
    if (this.#connections.size >= this.#options.connectionsMax) {
      this.#connectionsRefused++
      socket.on('error', () => socket.destroy())
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy())
      return
    }
    const connection = new Connection(this.#connectionsEver, socket, this.#connectionOptions)
    readInPlace(socket, (bytes, length) => connection.receive(bytes, length))
    socket.resume()
    this.#connections.set(socket, connection)
    socket.on('close', () => this.#connections.delete(socket))
  }

  #serverFigures() {
    const address = this.#server.address() as AddressInfo | null
    return {
      port: address?.port ?? this.#options.port,
      uptimeSeconds: Math.floor((performance.now() - this.#startedMs) / 1000),
      connections: this.#connections.size,
      connectionsMax: this.#options.connectionsMax,
      connectionsEver: this.#connectionsEver,
      sequencesHeld: this.#options.sequences.size,
    }
  }
}

/** What CONFIG GET shows: what redis-benchmark and clients ask for. Ids are durable, so nothing is ever to be saved. */
function settings({ connectionsMax, bulkBytesMax, idleMsMax }: RedisFrontOptions): Record<string, string> {
  return {
    save: '',
    appendonly: 'no',
    databases: '1',
    maxclients: String(connectionsMax),
    'proto-max-bulk-len': String(bulkBytesMax),
    timeout: String(Math.ceil(idleMsMax / 1000)),
  }
}
