import { SequenceError } from '../../src/core/errors.ts'
import { ID_END } from '../../src/core/id.ts'
import { clipToIdSpace, type Lease, type LeaseSource } from '../../src/core/lease.ts'
import type { SegmentRow, SegmentStore } from '../../src/core/store.ts'

interface Row {
  maxId: bigint
  step: bigint
}

/** A store of named sequences that lives as long as the object: several instances may share it. */
export class MemorySegments implements SegmentStore {
  readonly #rows = new Map<string, Row>()
  /** Past all ids of sequences that were retired. */
  readonly #ends = new Map<string, bigint>()
  readonly #held: (() => void)[] = []
  #gate: Promise<void> | undefined
  /** Leases asked for. */
  leases = 0
  /** While set, everything fails with STORE_UNAVAILABLE. */
  down = false

  /** Makes every request wait until `release`. */
  hold(): void {
    this.#gate = new Promise((resolve) => void this.#held.push(resolve))
  }

  release(): void {
    this.#gate = undefined
    for (const resolve of this.#held.splice(0)) resolve()
  }

  source(name: string): LeaseSource {
    return {
      lease: async (ids) => {
        this.leases++
        await this.#enter()
        const row = this.#row(name)
        const start = row.maxId === 0n ? 1n : row.maxId
        const lease = clipToIdSpace({
          start,
          end: row.maxId + row.step * BigInt(Math.ceil(ids / Number(row.step))),
        })
        if (lease === undefined)
          throw new SequenceError('EXHAUSTED', `no ids are left in ${JSON.stringify(name)}`)
        row.maxId = lease.end
        return [lease] satisfies Lease[]
      },
    }
  }

  async existing(names: readonly string[]): Promise<ReadonlySet<string>> {
    await this.#enter()
    return new Set(names.filter((name) => this.#rows.has(name)))
  }

  async list(after: string, limit: number): Promise<readonly SegmentRow[]> {
    const names = [...this.#rows.keys()].filter((name) => name > after).sort()
    return names.slice(0, limit).map((name) => ({ name, ...this.#row(name) }))
  }

  async create(name: string, start: bigint, step: number): Promise<void> {
    await this.#enter()
    if (this.#rows.has(name)) throw new SequenceError('SEQUENCE_EXISTS', `there is a sequence ${name}`)
    const end = this.#ends.get(name) ?? 0n
    this.#rows.set(name, { maxId: start > end ? start : end, step: BigInt(step) })
  }

  async advanceTo(name: string, start: bigint): Promise<bigint> {
    await this.#enter()
    const row = this.#row(name)
    if (start > row.maxId) row.maxId = start < ID_END ? start : ID_END
    return row.maxId
  }

  async advanceBy(name: string, ids: bigint): Promise<bigint> {
    await this.#enter()
    this.#row(name).maxId += ids
    return this.#row(name).maxId
  }

  async retire(name: string): Promise<void> {
    await this.#enter()
    this.#ends.set(name, this.#row(name).maxId)
    this.#rows.delete(name)
  }

  async #enter(): Promise<void> {
    await this.#gate
    if (this.down) throw new SequenceError('STORE_UNAVAILABLE', 'the store does not answer')
  }

  #row(name: string): Row {
    const row = this.#rows.get(name)
    if (row === undefined)
      throw new SequenceError('UNKNOWN_SEQUENCE', `there is no sequence ${JSON.stringify(name)}`)
    return row
  }
}
