import { readFileSync, readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/** Where the system tells about the thread that calls this, or undefined where it does not: that is Linux only. */
export function threadFolder(): string | undefined {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}`
  } catch {
    return undefined
  }
}

/** CPU time in ms that the thread has used so far; where the system does not tell, that of all threads of the process. */
export function cpuMsOf(folder: string | undefined): number {
  try {
    // proc(5): time on the CPU, in nanoseconds, is the first field.
    if (folder !== undefined) return Number.parseInt(readFileSync(`${folder}/schedstat`, 'latin1'), 10) / 1e6
  } catch {
    // A kernel without these figures.
  }
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Has the system prefer all other threads to the one that calls this, where it can: beside a script that loops, the p99 of `/new` is
 * then what the same requests for a good script make of it. At 19 instead, good scripts starve on a core that is full.
 */
export function stepBack(): void {
  const folder = threadFolder()
  if (folder === undefined) return
  try {
    // setpriority(2): of Linux, the nice value is a thread's own.
    setPriority(Number(basename(folder)), Math.min(NICE_MAX, getPriority() + NICE))
  } catch {
    // Not allowed here: then all threads are equal.
  }
}

/** Steps below the process: where a core is short, a thread gets a tenth of what the others get. */
const NICE = 10
const NICE_MAX = 19
