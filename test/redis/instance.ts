import { Sequence } from '../../src/core/sequence.ts'
import { Sequences } from '../../src/core/sequences.ts'
import type { SegmentStore } from '../../src/core/store.ts'
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  COMMAND_BYTES_MAX,
  IDLE_MS_MAX,
  INLINE_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  UNAUTHENTICATED_ARGUMENTS_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
  UNREAD_MS_MAX,
} from '../../src/fronts/redis/limits.ts'
import { RedisFront, type RedisFrontOptions } from '../../src/fronts/redis/server.ts'
import { systemClock } from '../../src/system-clock.ts'

/** What seqsvr starts with. */
export const DEFAULT_LIMITS = {
  connectionsMax: 1_000,
  requestIdsMax: 10_000,
  argumentsMax: ARGUMENTS_MAX,
  bulkBytesMax: BULK_BYTES_MAX,
  inlineBytesMax: INLINE_BYTES_MAX,
  commandBytesMax: COMMAND_BYTES_MAX,
  unauthenticatedArgumentsMax: UNAUTHENTICATED_ARGUMENTS_MAX,
  unauthenticatedBulkBytesMax: UNAUTHENTICATED_BULK_BYTES_MAX,
  outputBytesMax: OUTPUT_BYTES_MAX,
  unreadMsMax: UNREAD_MS_MAX,
  idleMsMax: IDLE_MS_MAX,
} as const

/** The named sequences of an instance on `segments`. */
export function openSequences(segments: SegmentStore): Sequences {
  const sequences: Sequences = new Sequences({
    segments,
    open: (name) =>
      new Sequence({
        source: segments.source(name),
        clock: systemClock,
        random: Math.random,
        limits: { leaseTargetMs: 2_000, leaseIdsMax: 10_000_000, waitMsMax: 1_000, waitersMax: 10_000 },
        observe: (event) => {
          if (event.type === 'lease-failed' && event.error.code === 'UNKNOWN_SEQUENCE') sequences.drop(name)
        },
      }),
    clock: systemClock,
    waitMsMax: 1_000,
    sequencesMax: 100_000,
  })
  return sequences
}

/** A Redis front on a port of its own, with the sequences behind it. */
export class RedisInstance {
  readonly port: number
  readonly sequences: Sequences
  readonly front: RedisFront

  private constructor(port: number, sequences: Sequences, front: RedisFront) {
    this.port = port
    this.sequences = sequences
    this.front = front
  }

  static async start(
    segments: SegmentStore,
    options: Partial<RedisFrontOptions> = {},
  ): Promise<RedisInstance> {
    const sequences = openSequences(segments)
    const front = new RedisFront({
      host: '127.0.0.1',
      port: 0,
      password: undefined,
      sequences,
      segments,
      ...DEFAULT_LIMITS,
      ...options,
    })
    const { port } = await front.listen()
    return new RedisInstance(port, sequences, front)
  }

  async stop(): Promise<void> {
    await this.front.drain(0)
    this.sequences.close()
  }
}
