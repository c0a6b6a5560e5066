import { describe, expect, it } from 'vitest'
import { type AuditFinding, auditLeases } from '../../src/core/provenance.ts'
import type { LeaseRecord, ProvenanceStore } from '../../src/core/store.ts'

/** Audits these leases, as `name start end`, of sequences that stand at these positions. Counts the queries. */
async function audit(leases: readonly string[], positions: Readonly<Record<string, bigint>> = {}) {
  const records = leases.map((text): LeaseRecord => {
    const [sequence, start, end] = text.split(' ') as [string, string, string]
    return { sequence, start: BigInt(start), end: BigInt(end), instance: 'i', timeMs: 0 }
  })
  const queries: string[] = []
  const provenance: Partial<ProvenanceStore> = {
    page: async (after, limit) => {
      queries.push('page')
      const from = after === undefined ? 0 : records.indexOf(after as LeaseRecord) + 1
      return records.slice(from, from + limit)
    },
    positions: async (names) => {
      queries.push(`positions ${names.join(' ')}`)
      return new Map(names.flatMap((name) => (name in positions ? [[name, positions[name] as bigint]] : [])))
    },
  }
  const findings: AuditFinding[] = []
  for await (const finding of auditLeases(provenance as ProvenanceStore)) findings.push(finding)
  return { findings, queries }
}

function sequence(name: string, fields: object) {
  return {
    type: 'sequence',
    sequence: name,
    overlaps: 0,
    gaps: 0,
    gapIds: 0n,
    position: undefined,
    ...fields,
  }
}

describe('an audit of all leases', () => {
  it('finds nothing on an empty record', async () => {
    expect(await audit([])).toEqual({ findings: [], queries: ['page'] })
  })

  it('adds up the leases of each sequence, and tells where it goes on', async () => {
    const { findings } = await audit(['a 1 11', 'a 11 21', 'b 5 6'], { a: 21n })
    expect(findings).toEqual([
      sequence('a', { records: 2, ids: 20n, start: 1n, end: 21n, position: 21n }),
      sequence('b', { records: 1, ids: 1n, start: 5n, end: 6n }),
    ])
  })

  it('I1: finds ids that were leased twice, also to a lease that lies within another', async () => {
    const { findings } = await audit(['a 1 100', 'a 10 20', 'a 99 101', 'a 101 102'])
    expect(findings).toMatchObject([
      { type: 'overlap', earlier: { start: 1n, end: 100n }, later: { start: 10n, end: 20n } },
      { type: 'overlap', earlier: { start: 1n, end: 100n }, later: { start: 99n, end: 101n } },
      sequence('a', { records: 4, ids: 112n, start: 1n, end: 102n, overlaps: 2 }),
    ])
  })

  it('finds gaps, and none within a lease', async () => {
    const { findings, queries } = await audit(['a 1 10', 'a 15 20', 'a 16 17', 'a 23 30'])
    expect(queries).toEqual(['page', 'positions a'])
    expect(findings).toMatchObject([
      { type: 'gap', sequence: 'a', start: 10n, end: 15n },
      { type: 'overlap' },
      { type: 'gap', sequence: 'a', start: 20n, end: 23n },
      sequence('a', { records: 4, ids: 22n, start: 1n, end: 30n, overlaps: 1, gaps: 2, gapIds: 8n }),
    ])
  })

  it.each([999, 1_000, 1_001, 2_000, 2_001])('reads all of %i leases, a page at a time', async (count) => {
    const leases = Array.from({ length: count }, (_, i) => `a ${i} ${i + 1}`)
    const { findings, queries } = await audit(leases, { a: 9n })
    const end = BigInt(count)
    expect(findings).toEqual([sequence('a', { records: count, ids: end, start: 0n, end, position: 9n })])
    expect(queries).toEqual([
      ...Array.from({ length: Math.floor(count / 1_000) + 1 }, () => 'page'),
      'positions a',
    ])
  })

  it('asks for positions after the leases that it compares them with', async () => {
    const leases = Array.from({ length: 1_000 }, (_, i) => `a ${i} ${i + 1}`)
    const { findings, queries } = await audit(['A 1 2', ...leases, 'b 1 2'])
    expect(queries).toEqual(['page', 'positions A', 'page', 'positions a b'])
    expect(findings).toHaveLength(3)
  })
})
