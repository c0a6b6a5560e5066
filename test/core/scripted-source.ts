import type { Lease, LeaseSource } from '../../src/core/lease.ts'

interface Ask {
  readonly ids: number
  readonly seenEnd: bigint
  readonly grant: (...ranges: [number | bigint, number | bigint][]) => void
  readonly fail: (error: Error) => void
}

/** A lease source that a test answers by hand. */
export class ScriptedSource implements LeaseSource {
  /** Lease requests that were made, answered or not. */
  readonly asks: Ask[] = []

  lease(ids: number, seenEnd: bigint): Promise<readonly Lease[]> {
    return new Promise((resolve, reject) => {
      this.asks.push({
        ids,
        seenEnd,
        grant: (...ranges) =>
          resolve(ranges.map(([start, end]) => ({ start: BigInt(start), end: BigInt(end) }))),
        fail: reject,
      })
    })
  }

  /** The latest request. */
  get last(): Ask {
    return this.asks.at(-1) as Ask
  }
}
