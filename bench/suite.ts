import { type Contestant, RunningContestant } from './contestant.ts'
import type { Load } from './load.ts'

/** Contestants under load, and which of them are the ceilings that the others are compared with. */
export interface Suite {
  readonly name: string
  readonly title: string
  /** For every contestant that has none of its own. */
  readonly load: Load
  readonly contestants: readonly Contestant[]
  /** Names of contestants. */
  readonly ceilings: readonly string[]
  /** What the ratios should be, for the report. */
  readonly aim?: string
  /** Load before each turn; 1 s if not given. */
  readonly warmUpSeconds?: number
}

export interface SuiteSettings {
  readonly rounds: number
  /** Length of one contestant's turn in a round. */
  readonly seconds: number
}

/** One contestant's turn. What is not known of it is NaN. */
export interface Turn {
  readonly requestsPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly cpuUsPerRequest: number
  /** Behind the load. */
  readonly residentBytes: number
  readonly leasesPerSecond: number
  readonly transactionsPerSecond: number
  readonly errors: number
}

/** The turns of one round by the contestants' names. */
export type Round = Readonly<Record<string, Turn>>

const WARM_UP_SECONDS = 1
const UNKNOWN = { leases: Number.NaN, transactions: Number.NaN }

/**
 * Measures the contestants turn by turn, round by round: a machine that changes its speed from minute to minute
 * changes it for all that are compared within a round.
 *
 * Each turn has a process of its own. What V8 happens to compile in its first second decides for the life of a
 * process; one in five or so is slower by a fifth, whatever it runs.
 */
export async function runSuite(suite: Suite, settings: SuiteSettings): Promise<Round[]> {
  const rounds: Round[] = []
  for (let i = 0; i < settings.rounds; i++) {
    const round: Record<string, Turn> = {}
    for (const contestant of suite.contestants)
      round[contestant.name] = await takeTurn(contestant, suite, settings.seconds)
    rounds.push(round)
  }
  return rounds
}

async function takeTurn(contestant: Contestant, suite: Suite, seconds: number): Promise<Turn> {
  const load = contestant.load ?? suite.load
  const running = await RunningContestant.start(contestant)
  const storeCounts = async () => (await contestant.storeCounts?.(running.port)) ?? UNKNOWN
  try {
    await load.run(running.port, suite.warmUpSeconds ?? WARM_UP_SECONDS)
    const before = await storeCounts()
    const cpuUsBefore = running.cpuUs
    const figures = await load.run(running.port, seconds)
    const cpuUs = running.cpuUs - cpuUsBefore
    const after = await storeCounts()
    return {
      requestsPerSecond: figures.requests / figures.seconds,
      p50Us: figures.p50Us,
      p99Us: figures.p99Us,
      cpuUsPerRequest: cpuUs / figures.requests,
      residentBytes: running.residentBytes,
      leasesPerSecond: (after.leases - before.leases) / figures.seconds,
      transactionsPerSecond: (after.transactions - before.transactions) / figures.seconds,
      errors: figures.errors,
    }
  } finally {
    await running.stop()
  }
}
