import { describe, expect, it } from 'vitest'
import { configFindings } from '../../src/commands/check/config.ts'
import { ruleFindings } from '../../src/commands/check/rules.ts'
import type { FindingTable } from '../../src/core/finding.ts'
import { storeFindings } from '../../src/store/inspection.ts'
import { connectionFindings } from '../../src/store/mysql/inspection.ts'
import { clusterFindings } from '../../src/store/mysql/inspection-cluster.ts'
import { rightFindings } from '../../src/store/mysql/inspection-rights.ts'
import { serverFindings } from '../../src/store/mysql/inspection-server.ts'
import { tableFindings } from '../../src/store/mysql/inspection-tables.ts'
import { sqliteFindings } from '../../src/store/sqlite/inspection.ts'
import { fileFindings } from '../../src/store/sqlite/inspection-file.ts'
import { rows, section } from '../docs/markdown.ts'

const TABLES: readonly (readonly [heading: string, findings: FindingTable])[] = [
  ['Configuration, machine and rules', { ...configFindings, ...ruleFindings }],
  ['Every store', storeFindings],
  [
    'MySQL',
    { ...connectionFindings, ...rightFindings, ...tableFindings, ...serverFindings, ...clusterFindings },
  ],
  ['SQLite', { ...fileFindings, ...sqliteFindings }],
]

describe('docs/doctor.md', () => {
  it.each(TABLES)('the table "%s" has every finding with its severities', (heading, findings) => {
    const documented = rows(section('docs/doctor.md', heading)).map(([name, severities]) => [
      name,
      severities,
    ])
    expect(documented.sort()).toEqual(
      Object.entries(findings)
        .map(([name, { severities }]) => [`\`${name}\``, severities.join(', ') || 'ok'])
        .sort(),
    )
  })

  it('no two parts of the program have a finding of the same name', () => {
    const names = TABLES.flatMap(([, findings]) => Object.keys(findings))
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    expect(names.every((name) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toBe(true)
  })
})
