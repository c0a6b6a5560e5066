import type { SequenceError } from '../core/errors.ts'
import type { IdsAhead } from './ids-ahead.ts'

/** One run of `create_id`. */
export interface Run {
  /** The time, as a line for `Sandbox.run`. */
  readonly timeLine: string
  readonly counter: number | bigint
  /** How far apart the numbers of its counter are. */
  readonly step: number
  readonly salt: string
  /** Of its counter, at that time; undefined where no more of its ids will be asked for. */
  readonly ahead?: IdsAhead | undefined
}

/** A run that somebody waits for. */
export interface Job extends Run {
  readonly resolve: (id: string) => void
  readonly reject: (error: SequenceError) => void
  readonly expiresMs: number
  /** It was in a batch that had to be ended, so that it is run alone: then it is known whether it is to blame. */
  isSuspect: boolean
}

/** Runs of one counter's numbers in a row, with one time and one salt: as they are mostly. */
export interface Row {
  readonly jobs: readonly [Job, ...Job[]]
  /** How many more runs, which nobody waits for, are behind them. */
  readonly extra: number
}

/** Joins runs to rows, with extra ones as far as there are at most `runsMax` in all. */
export function rowsOf(jobs: readonly Job[], runsMax: number): Row[] {
  const rows: { jobs: [Job, ...Job[]]; extra: number }[] = []
  for (const job of jobs) {
    const row = rows.at(-1)
    if (row !== undefined && isNext(row.jobs.at(-1) as Job, job)) row.jobs.push(job)
    else rows.push({ jobs: [job], extra: 0 })
  }
  let room = runsMax - jobs.length
  for (const row of rows) {
    const { ahead, counter, salt } = row.jobs.at(-1) as Job
    row.extra = Math.min(ahead?.wanted(counter, salt) ?? 0, room)
    room -= row.extra
  }
  return rows
}

function isNext(last: Job, job: Job): boolean {
  if (typeof last.counter === 'bigint') return false
  return (
    job.counter === last.counter + last.step &&
    job.ahead === last.ahead &&
    job.salt === last.salt &&
    job.timeLine === last.timeLine
  )
}

/** The rows as `Sandbox.run` takes them. */
export function linesOf(rows: readonly Row[]): string {
  let lines = ''
  let time = ''
  for (const { jobs, extra } of rows) {
    const [{ timeLine, counter, step, salt }] = jobs
    if (timeLine !== time) lines += timeLine
    time = timeLine
    lines += `${counter} ${jobs.length + extra} ${step}\t${salt}\n`
  }
  return lines
}

/** How many ids, or problems, come of the rows. */
export function runsOf(rows: readonly Row[]): number {
  let runs = 0
  for (const { jobs, extra } of rows) runs += jobs.length + extra
  return runs
}
