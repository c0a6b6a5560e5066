import type { LeaseRecord, ProvenanceStore } from './store.ts'

/** Records read at once, so that memory stays constant however many there are. */
const PAGE = 1_000

/** What the leases on record of one sequence come to, once all of them were read. */
export interface SequenceAudit {
  readonly type: 'sequence'
  readonly sequence: string
  readonly records: number
  readonly ids: bigint
  /** From the first id on record to below `end`. */
  readonly start: bigint
  readonly end: bigint
  readonly overlaps: number
  readonly gaps: number
  /** Ids in the gaps. */
  readonly gapIds: bigint
  /** Where its next lease starts; undefined where it is retired, or its row is gone. Below `end`, ids would repeat (I1). */
  readonly position: bigint | undefined
}

/** What `auditLeases` finds, in the order of the records. */
export type AuditFinding =
  /** Ids that were leased twice (I1): `later` starts below the end of `earlier`. */
  | { readonly type: 'overlap'; readonly earlier: LeaseRecord; readonly later: LeaseRecord }
  /** Ids `[start, end)` between two leases on record that no lease on record holds. */
  | { readonly type: 'gap'; readonly sequence: string; readonly start: bigint; readonly end: bigint }
  | SequenceAudit

/**
 * Reads every lease on record, in order, and tells of each overlap, each gap and each sequence. Where there is no overlap,
 * no two leases on record have an id in common. Instances may lease meanwhile: a lease that is being committed may show
 * as a gap at the end. Rejects as the methods of `ProvenanceStore` do.
 */
export async function* auditLeases(provenance: ProvenanceStore): AsyncGenerator<AuditFinding> {
  let sequence: Tally | undefined
  let after: LeaseRecord | undefined
  for (;;) {
    const page = await provenance.page(after, PAGE)
    after = page.at(-1)
    const findings: (AuditFinding | Tally)[] = []
    for (const record of page) {
      if (record.sequence !== sequence?.name) {
        if (sequence !== undefined) findings.push(sequence)
        sequence = new Tally(record)
        continue
      }
      const finding = sequence.add(record)
      if (finding !== undefined) findings.push(finding)
    }
    if (page.length < PAGE && sequence !== undefined) findings.push(sequence)
    const names = findings.flatMap((finding) => (finding instanceof Tally ? [finding.name] : []))
    // Read after their leases, so that leases granted meanwhile only move them further.
    const positions = names.length > 0 ? await provenance.positions(names) : new Map<string, bigint>()
    for (const finding of findings)
      yield finding instanceof Tally ? finding.audit(positions.get(finding.name)) : finding
    if (page.length < PAGE) return
  }
}

/** The leases of one sequence so far. */
class Tally {
  readonly name: string
  readonly #start: bigint
  /** The record that ends last. */
  #greatest: LeaseRecord
  #records = 1
  #ids: bigint
  #overlaps = 0
  #gaps = 0
  #gapIds = 0n

  constructor(first: LeaseRecord) {
    this.name = first.sequence
    this.#start = first.start
    this.#greatest = first
    this.#ids = first.end - first.start
  }

  add(record: LeaseRecord): AuditFinding | undefined {
    const earlier = this.#greatest
    this.#records++
    this.#ids += record.end - record.start
    if (record.end > earlier.end) this.#greatest = record
    if (record.start < earlier.end) {
      this.#overlaps++
      return { type: 'overlap', earlier, later: record }
    }
    if (record.start === earlier.end) return undefined
    this.#gaps++
    this.#gapIds += record.start - earlier.end
    return { type: 'gap', sequence: this.name, start: earlier.end, end: record.start }
  }

  audit(position: bigint | undefined): SequenceAudit {
    return {
      type: 'sequence',
      sequence: this.name,
      records: this.#records,
      ids: this.#ids,
      start: this.#start,
      end: this.#greatest.end,
      overlaps: this.#overlaps,
      gaps: this.#gaps,
      gapIds: this.#gapIds,
      position,
    }
  }
}
