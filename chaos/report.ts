import { cpus } from 'node:os'
import type { Checker } from './checker.ts'
import type { CutPoint } from './commit-cutter.ts'
import type { FaultName } from './faults.ts'
import type { Fleet, Route } from './fleet.ts'
import type { FaultRecord, Nemesis } from './nemesis.ts'
import type { Plan } from './plan.ts'
import type { RouteFigures, Routes } from './routes.ts'
import type { Sample } from './run.ts'

/** Of one kind of fault: how often it was, and how long the fleet took to recover from it. */
export interface KindFigures {
  readonly count: number
  /** Null where it never recovered within the time that was waited for it. */
  readonly medianRecoveryMs: number | null
  readonly longestRecoveryMs: number | null
}

/** All that a run came to. */
export interface Report {
  readonly plan: Plan
  readonly seed: number
  readonly machine: string
  readonly seconds: number
  /** Requests. */
  readonly attempted: number
  readonly acknowledged: number
  /** Answered with an error, or nobody was there to ask. */
  readonly failed: number
  /** Sent and not answered. */
  readonly unknown: number
  readonly ids: number
  readonly duplicates: number
  readonly outOfOrder: number
  /** Sentences about the first of these. */
  readonly violations: readonly string[]
  /** Processes that ended by themselves, or as they should not, in words. */
  readonly problems: readonly string[]
  /** By stream: ids below the greatest one given that nobody got. */
  readonly wasted: Readonly<Record<string, number>>
  readonly routes: Readonly<Record<Route, RouteFigures>>
  /** COMMITs on the way to MariaDB. */
  readonly commits: Readonly<Record<CutPoint | 'passed', number>>
  /** What MariaDB says of these: `passed` and `after` together. Undefined where it was started again. */
  readonly commitsOfServer: number | undefined
  readonly kinds: Readonly<Partial<Record<FaultName, KindFigures>>>
  /** Faults after which the fleet took longer than promised. */
  readonly slowRecoveries: number
  /** What this machine does not allow, and why. */
  readonly skipped: Readonly<Record<string, string>>
  readonly faults: readonly FaultRecord[]
  readonly samples: readonly Sample[]
}

/** The promise: ids again within a second. */
export const RECOVERY_MS_PROMISED = 1_000

/** Leases that were under way when the last client ended. */
const IDLE_MS = 500

export interface RunFigures extends Pick<Report, 'plan' | 'seed' | 'seconds' | 'wasted' | 'samples'> {
  readonly fleet: Fleet
  readonly checker: Checker
  readonly routes: Routes
  readonly nemesis: Nemesis
}

/** Sums up a run whose clients have ended. */
export async function reportOf(figures: RunFigures): Promise<Report> {
  const { plan, seed, seconds, fleet, checker, routes, nemesis, samples, wasted } = figures
  const [acknowledged, failed, unknown] = (['acknowledged', 'failed', 'unknown'] as const).map((outcome) =>
    routes.total(outcome),
  ) as [number, number, number]
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const { faults } = nemesis
  return {
    plan,
    seed,
    machine: `Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0]?.model.trim()}`,
    seconds: Math.round(seconds),
    attempted: acknowledged + failed + unknown,
    acknowledged,
    failed,
    unknown,
    ids: checker.ids,
    duplicates: checker.duplicates,
    outOfOrder: checker.outOfOrder,
    violations: checker.violations,
    problems: nemesis.problems,
    wasted,
    routes: routes.figures(),
    commits: fleet.commits(),
    commitsOfServer: plan.mode === 'cuts' ? await fleet.commitsOfServer() : undefined,
    kinds: kindsOf(faults),
    slowRecoveries: faults.filter(
      ({ recoveryMs }) => recoveryMs === null || recoveryMs >= RECOVERY_MS_PROMISED,
    ).length,
    skipped: Object.fromEntries(fleet.missing),
    faults,
    samples,
  }
}

/** Whether the fleet kept what must never break. */
export function isSound({ duplicates, outOfOrder }: Report): boolean {
  return duplicates === 0 && outOfOrder === 0
}

function kindsOf(faults: readonly FaultRecord[]): Report['kinds'] {
  const kinds: Partial<Record<FaultName, KindFigures>> = {}
  for (const name of new Set(faults.map((fault) => fault.name))) {
    const times = faults
      .filter((fault) => fault.name === name)
      .map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY)
      .sort((a, b) => a - b)
    kinds[name] = {
      count: times.length,
      medianRecoveryMs: finite(times[Math.floor(times.length / 2)]),
      longestRecoveryMs: finite(times.at(-1)),
    }
  }
  return kinds
}

function finite(ms: number | undefined): number | null {
  return ms === undefined || ms === Number.POSITIVE_INFINITY ? null : ms
}
