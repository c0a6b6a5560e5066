import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { SegmentStore } from '../../src/core/store.ts'
import { BufferPool } from '../../src/fronts/redis/buffer-pool.ts'
import { Connection } from '../../src/fronts/redis/connection.ts'
import { connectionCommands } from '../../src/fronts/redis/connection-commands.ts'
import { NamedIds } from '../../src/fronts/redis/named-ids.ts'
import { Replies } from '../../src/fronts/redis/replies.ts'
import { sequenceCommands } from '../../src/fronts/redis/sequence-commands.ts'
import { withServerCommands } from '../../src/fronts/redis/server-commands.ts'
import { Turns } from '../../src/fronts/redis/turns.ts'
import { Tally } from '../../src/fronts/tally.ts'
import { Watch } from '../../src/fronts/watch.ts'
import { DEFAULT_LIMITS, openSequences } from './instance.ts'

/** As the next command of another connection would overwrite what was given back. */
class OverwrittenPool extends BufferPool {
  override give(buffer: Buffer): void {
    buffer.fill('*')
    super.give(buffer)
  }
}

/** The same for all connections, as in a front: what one leaves in there, another would send. */
const replies = new Replies(1_024)
const watch = new Watch(Number.POSITIVE_INFINITY)
const turns = new Turns()
const pool = new OverwrittenPool(1_048_576)

/** A connection without a socket: bytes in, bytes out. */
export class MemoryWire extends Duplex {
  readonly connection: Connection
  readonly writes: string[] = []
  readonly #sequences

  constructor(segments: SegmentStore) {
    super()
    this.#sequences = openSequences(segments)
    const tally = new Tally()
    const ids = new NamedIds(this.#sequences, segments, tally)
    const figures = {
      port: 1,
      uptimeSeconds: 1,
      connections: 1,
      connectionsMax: 1,
      connectionsEver: 1,
      sequencesHeld: 1,
    }
    this.connection = new Connection(7, this, {
      commands: withServerCommands(
        new Map([...sequenceCommands(ids, DEFAULT_LIMITS.requestIdsMax), ...connectionCommands(undefined)]),
        () => figures,
        { save: '' },
      ),
      ids,
      tally,
      replies,
      limits: DEFAULT_LIMITS,
      pool,
      turns,
      watch,
      authenticated: true,
    })
    this.on('data', (packet: Buffer) => {
      const bytes = Buffer.from(packet)
      this.connection.receive(bytes, bytes.length)
      // As the next read of another connection does.
      bytes.fill('*')
    })
  }

  setTimeout(): this {
    return this
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.writes.push(chunk.toString('latin1'))
    callback()
  }

  /** All that it answers to these packets until it has nothing more to do. */
  async answer(packets: readonly Buffer[]): Promise<string> {
    for (const packet of packets) {
      if (this.destroyed) break
      this.push(packet)
      // What waits for the store goes on within this turn: the store is in memory.
      await turn()
    }
    while (!this.destroyed && (this.readableLength > 0 || this.isPaused())) await turn()
    await turn()
    return this.writes.join('')
  }

  async stop(): Promise<void> {
    this.destroy()
    this.#sequences.close()
    await turn()
  }
}
