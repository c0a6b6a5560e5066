import type { SequenceError } from '../core/errors.ts'
import type { IdsAhead } from './ids-ahead.ts'

/** One run of `create_id`. */
export interface Run {
  /** The time, as a line for `Sandbox.run`. */
  readonly timeLine: string
  readonly counter: number | bigint
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
  /** How many more are made behind them. */
  readonly ahead: number
}

/** Joins runs to rows. So many runs ahead are added that there are at most `runsMax` in all. */
export function rowsOf(jobs: readonly Job[], runsMax: number): Row[] {
  const rows: { jobs: [Job, ...Job[]]; ahead: number }[] = []
  let last: Job | undefined
  for (const job of jobs) {
    if (last !== undefined && follows(job, last)) rows.at(-1)?.jobs.push(job)
    else rows.push({ jobs: [job], ahead: 0 })
    last = job
  }
  let room = runsMax - jobs.length
  for (const row of rows) {
    const { ahead, counter, salt } = row.jobs.at(-1) as Job
    if (ahead === undefined || typeof counter === 'bigint') continue
    row.ahead = Math.min(ahead.wanted(salt), room)
    room -= row.ahead
  }
  return rows
}

function follows(job: Job, { counter, salt, timeLine, ahead }: Job): boolean {
  if (typeof counter === 'bigint' || typeof job.counter === 'bigint') return false
  return job.counter === counter + (ahead?.step ?? 1) && job.salt === salt && job.timeLine === timeLine
}

/** The rows as `Sandbox.run` takes them. */
export function linesOf(rows: readonly Row[]): string {
  let lines = ''
  let time = ''
  for (const { jobs, ahead } of rows) {
    const [{ timeLine, counter, salt, ahead: { step } = { step: 1 } }] = jobs
    if (timeLine !== time) lines += timeLine
    time = timeLine
    lines += `${counter} ${jobs.length + ahead} ${step}\t${salt}\n`
  }
  return lines
}
