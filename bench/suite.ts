import { type Contestant, RunningContestant } from './contestant.ts'
import type { Load } from './load.ts'

/** Contestants under the same load, and which of them are the ceilings that the others are compared with. */
export interface Suite {
  /** Names the files of its results. */
  readonly name: string
  readonly title: string
  readonly load: Load
  readonly contestants: readonly Contestant[]
  /** Names of contestants. */
  readonly ceilings: readonly string[]
}

export interface SuiteSettings {
  readonly rounds: number
  /** Length of one contestant's turn in a round. */
  readonly seconds: number
}

/** One contestant's turn. */
export interface Turn {
  readonly requestsPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly cpuUsPerRequest: number
  readonly errors: number
}

/** The turns of one round by the contestants' names. */
export type Round = Readonly<Record<string, Turn>>

const WARM_UP_SECONDS = 1

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
      round[contestant.name] = await takeTurn(contestant, suite.load, settings.seconds)
    rounds.push(round)
  }
  return rounds
}

async function takeTurn(contestant: Contestant, load: Load, seconds: number): Promise<Turn> {
  const running = await RunningContestant.start(contestant)
  try {
    await load.run(running.port, WARM_UP_SECONDS)
    const cpuUsBefore = running.cpuUs()
    const figures = await load.run(running.port, seconds)
    return {
      requestsPerSecond: figures.requests / figures.seconds,
      p50Us: figures.p50Us,
      p99Us: figures.p99Us,
      cpuUsPerRequest: (running.cpuUs() - cpuUsBefore) / figures.requests,
      errors: figures.errors,
    }
  } finally {
    await running.stop()
  }
}
