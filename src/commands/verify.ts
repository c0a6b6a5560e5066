import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { provenanceOff } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import { type AuditFinding, auditLeases, type SequenceAudit } from '../core/provenance.ts'
import type { LeaseRecord } from '../core/store.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore, requireStore } from './open-store.ts'
import { describeSequence } from './whois.ts'

/**
 * Reads every lease on record, and prints each overlap, each gap, and each sequence with where it stands. Resolves to exit
 * code 1 where leases overlap or a sequence stands below what it leased. Changes nothing.
 */
export async function verify(config: Config): Promise<number> {
  const store = openStore(config, uuidv7())
  const total = { sequences: 0, records: 0, ids: 0n, gaps: 0, overlaps: 0, dangers: 0 }
  try {
    requireStore(config)
    if (store.provenance === undefined) throw provenanceOff()
    for await (const finding of auditLeases(store.provenance)) {
      console.log(describe(finding))
      if (finding.type !== 'sequence') continue
      total.sequences++
      total.records += finding.records
      total.ids += finding.ids
      total.gaps += finding.gaps
      total.overlaps += finding.overlaps
      if (isBehind(finding)) total.dangers++
    }
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.error(`seqsvr: ${error.code}: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
  const { sequences, records, ids, gaps, overlaps, dangers } = total
  console.log(
    `${overlaps === 0 ? 'ok' : 'failed'}: sequences: ${sequences}, leases: ${records} (${ids} ids), overlaps: ${overlaps}, gaps: ${gaps}`,
  )
  return overlaps + dangers === 0 ? EXIT_OK : EXIT_RUNTIME
}

function describe(finding: AuditFinding): string {
  switch (finding.type) {
    case 'overlap':
      return `overlap: ${describeSequence(finding.later.sequence)}: ${describeLease(finding.earlier)}, and ${describeLease(finding.later)}`
    case 'gap':
      return `gap: ${describeSequence(finding.sequence)}: no lease on record has ${finding.start} to ${finding.end - 1n} (${finding.end - finding.start} ids)`
    case 'sequence':
      return describeAudit(finding)
  }
}

function describeLease({ start, end, instance, timeMs }: LeaseRecord): string {
  return `${start} to ${end - 1n} to instance ${instance} at ${new Date(timeMs).toISOString()}`
}

function describeAudit(audit: SequenceAudit): string {
  const { sequence, records, ids, start, end, overlaps, gaps, gapIds, position } = audit
  const subject = describeSequence(sequence)
  if (isBehind(audit))
    return (
      `danger: ${subject} would go on from ${position} although it leased ids up to ${end - 1n}: its table went back. ` +
      'Instances that keep a record refuse to lease from it, others repeat ids: advance it past every id in use'
    )
  const state = position === undefined ? 'it has no row any more' : `it goes on from ${position}`
  return (
    `${overlaps === 0 ? 'ok' : 'failed'}: ${subject}: leases: ${records} (${ids} ids from ${start} to ${end - 1n}), ` +
    `overlaps: ${overlaps}, gaps: ${gaps} (${gapIds} ids); ${state}`
  )
}

function isBehind({ position, end }: SequenceAudit): boolean {
  return position !== undefined && position < end
}
