import { expect } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'

/** What is not well, as `danger durability-binlog`. */
export function grave(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity }) => severity !== 'ok')
    .map(({ severity, name }) => `${severity} ${name}`)
}

/** The one finding of this name. */
export function only(findings: readonly Finding[], name: string): Finding {
  const found = findings.filter((finding) => finding.name === name)
  expect(found.map(({ what }) => what)).toHaveLength(1)
  return found[0] as Finding
}
