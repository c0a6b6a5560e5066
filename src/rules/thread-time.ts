import { readFileSync, readlinkSync } from 'node:fs'

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
