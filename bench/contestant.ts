import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import type { Load } from './load.ts'

/** A server under load. */
export interface Contestant {
  readonly name: string
  /**
   * How to start it on a port of 127.0.0.1, with an empty directory of its own, which it runs in. Without this, it runs
   * already, and its own load knows where.
   */
  command?(port: number, directory: string): Command | Promise<Command>
  /** Whether it answers as it should, and holds what is to be measured. A rejection means no. */
  probe(port: number): Promise<boolean>
  /** Its own load, where that is what differs between the contestants of a suite. */
  readonly load?: Load
  /** Where its directory is made; where the system has temporary files, if not given. */
  readonly directory?: string
  /** What it has asked of its store since it began. */
  storeCounts?(port: number): Promise<StoreCounts>
}

export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
}

export interface StoreCounts {
  readonly leases: number
  readonly transactions: number
}

/** Load generators get the other core. */
export const SERVER_CORE = '0'
const START_MS_MAX = 10_000
const STOP_MS_MAX = 10_000
/** The end of what it wrote says why it does not start. */
const OUTPUT_LENGTH_MAX = 10_000

/** Linux counts CPU time in hundredths of a second for every process, on every machine. */
const MICROSECONDS_PER_TICK = 10_000

/** A contestant's process, alone on its core; or one that runs already, of which nothing is known. */
export class RunningContestant {
  readonly port: number
  readonly #child: ChildProcess | undefined
  readonly #directory: string

  private constructor(port: number, child: ChildProcess | undefined, directory: string) {
    this.port = port
    this.#child = child
    this.#directory = directory
  }

  /** Starts it and waits until it answers. */
  static async start(contestant: Contestant): Promise<RunningContestant> {
    const port = await freePort()
    const directory = mkdtempSync(join(contestant.directory ?? tmpdir(), 'seqsvr-bench-'))
    const command = await contestant.command?.(port, directory)
    const child = command && start(command, directory)
    let output = ''
    for (const stream of [child?.stdout, child?.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk).slice(-OUTPUT_LENGTH_MAX)
      })
    const running = new RunningContestant(port, child, directory)
    const deadlineMs = performance.now() + START_MS_MAX
    while (!(await contestant.probe(port).catch(() => false))) {
      if ((child !== undefined && hasEnded(child)) || performance.now() > deadlineMs) {
        await running.stop()
        throw new Error(`${contestant.name} does not answer as it should on port ${port}\n${output}`)
      }
      await sleep(20)
    }
    return running
  }

  /** What the system knows it by; of `taskset`, which becomes it. */
  get pid(): number {
    return this.#child?.pid as number
  }

  /** CPU time that all its threads have used so far. */
  get cpuUs(): number {
    // proc(5): utime and stime are fields 14 and 15, counted after the name, which may hold spaces.
    const stat = this.#proc('stat')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK
  }

  /** The memory of it that is in RAM. */
  get residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(this.#proc('status'))?.[1]) * 1024
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child !== undefined && !hasEnded(child)) {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      await exit
      clearTimeout(kill)
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #proc(file: string): string {
    return this.#child === undefined ? '' : readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8')
  }
}

function start({ argv, env }: Command, directory: string): ChildProcess {
  return spawn('taskset', ['-c', SERVER_CORE, ...argv], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}
