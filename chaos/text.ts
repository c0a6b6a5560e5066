import type { FaultName } from './faults.ts'
import type { Route } from './fleet.ts'
import type { Plan } from './plan.ts'
import { isSound, type KindFigures, RECOVERY_MS_PROMISED, type Report } from './report.ts'
import type { RouteFigures } from './routes.ts'

/** A report for people. */
export function textOf(report: Report): string {
  const { passed, before, after } = report.commits
  return `${[
    `npm run chaos -- ${flagsOf(report.plan)} --seed ${report.seed}`,
    `${report.seconds} s on ${report.machine}`,
    '',
    isSound(report) ? 'No id twice, none out of order.' : 'VIOLATIONS',
    ...report.violations.map((violation) => `  ${violation}`),
    ...report.problems.map((problem) => `PROBLEM: ${problem}`),
    '',
    ...columns([
      ['requests attempted', report.attempted],
      ['  acknowledged', report.acknowledged],
      ['  failed', report.failed],
      ['  unknown (no answer)', report.unknown],
      ['ids', report.ids],
      ['duplicates', report.duplicates],
      ['out of order within an instance', report.outOfOrder],
      ['COMMITs passed', passed],
      ['COMMITs cut before the server had them', before],
      ['COMMITs cut before their answer came', after],
      ...(report.commitsOfServer === undefined
        ? []
        : [['COMMITs that the server counted', report.commitsOfServer] as const]),
    ]),
    '',
    ...columns([
      ['fault', 'count', 'median recovery', 'longest recovery'],
      ...kindsOf(report).map(([name, { count, medianRecoveryMs, longestRecoveryMs }]) => [
        name,
        count,
        ms(medianRecoveryMs),
        ms(longestRecoveryMs),
      ]),
    ]),
    `${report.slowRecoveries} of ${report.faults.length} recoveries took ${RECOVERY_MS_PROMISED} ms or longer.`,
    ...slowOnes(report),
    ...Object.entries(report.skipped).map(([what, why]) => `SKIPPED: ${what}: ${why}`),
    '',
    ...columns([
      ['route', 'acknowledged', 'failed', 'unknown', 'longest without an id'],
      ...routesOf(report).map(([route, { acknowledged, failed, unknown, longestGapMs }]) => [
        route,
        acknowledged,
        failed,
        unknown,
        ms(longestGapMs),
      ]),
    ]),
    '',
    ...columns([['ids wasted'], ...Object.entries(report.wasted)]),
  ].join('\n')}\n`
}

function flagsOf(plan: Plan): string {
  switch (plan.mode) {
    case 'mixed':
      return `--minutes ${plan.minutes}`
    case 'kills':
      return `--kills instances=${plan.instances},mariadbd=${plan.mariadbd}`
    case 'cuts':
      return `--cuts ${plan.cuts}`
  }
}

function kindsOf({ kinds }: Report): [FaultName, KindFigures][] {
  return Object.entries(kinds) as [FaultName, KindFigures][]
}

function routesOf({ routes }: Report): [Route, RouteFigures][] {
  return Object.entries(routes) as [Route, RouteFigures][]
}

function slowOnes({ faults }: Report): string[] {
  return faults
    .filter(({ recoveryMs }) => recoveryMs === null || recoveryMs >= RECOVERY_MS_PROMISED)
    .map(
      ({ name, target, startMs, recoveryMs, silent }) =>
        `  ${name}: ${target} at ${(startMs / 1000).toFixed(1)} s: ${ms(recoveryMs)}${silent.length > 0 ? `, silent: ${silent.join(', ')}` : ''}`,
    )
}

function ms(value: number | null): string {
  return value === null ? 'never' : `${value} ms`
}

/** Rows as aligned columns: texts to the left in the first, all else to the right. */
function columns(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, String(cell).length)
    })
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 ? String(cell).padEnd(widths[i] as number) : String(cell).padStart(widths[i] as number),
      )
      .join('  ')
      .trimEnd(),
  )
}
