import type { Finding, Severity } from '../../core/finding.ts'

/** The gravest first. */
const SEVERITIES: readonly Severity[] = ['danger', 'failed', 'warning', 'ok']

/** Whether an instance could serve, and nothing can lead to ids that repeat. */
export function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === 'ok' || severity === 'warning')
}

/** For people: a line for each finding, the gravest first, with why it matters and what to do below. */
export function toText(findings: readonly Finding[]): string {
  const lines = sorted(findings).flatMap(({ name, severity, what, why, advice }) => [
    `${severity}: ${name}: ${what}`,
    ...(why === undefined ? [] : [`  why: ${why}`]),
    ...(advice === undefined ? [] : [`  do: ${advice}`]),
  ])
  const counts = SEVERITIES.map((severity) => ({ severity, count: countOf(findings, severity) }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`)
  return [
    ...lines,
    '',
    `${isFit(findings) ? 'fit to serve' : 'NOT fit to serve'}: ${counts.join(', ')}`,
  ].join('\n')
}

/** For programs: one JSON object. */
export function toJson(findings: readonly Finding[]): string {
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, countOf(findings, severity)]))
  return JSON.stringify({ fit: isFit(findings), counts, findings: sorted(findings) })
}

function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
}

function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length
}
