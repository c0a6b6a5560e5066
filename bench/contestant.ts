import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server under load. */
export interface Contestant {
  readonly name: string
  /** How to start it on a port of 127.0.0.1, with an empty directory of its own for files. */
  command(port: number, directory: string): Command
  /** Whether it answers as it should. A rejection means no. */
  probe(port: number): Promise<boolean>
}

export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
}

/** Load generators get the other core. */
const SERVER_CORE = 0
const START_MS_MAX = 10_000
const STOP_MS_MAX = 10_000
/** The end of what it wrote says why it does not start. */
const OUTPUT_LENGTH_MAX = 10_000

/** Linux counts CPU time in hundredths of a second for every process, on every machine. */
const MICROSECONDS_PER_TICK = 10_000

/** A contestant's process, alone on its core. */
export class RunningContestant {
  readonly port: number
  readonly #child: ChildProcess
  readonly #directory: string

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port
    this.#child = child
    this.#directory = directory
  }

  /** Starts it and waits until it answers. */
  static async start(contestant: Contestant): Promise<RunningContestant> {
    const port = await freePort()
    const directory = mkdtempSync(join(tmpdir(), 'seqsvr-bench-'))
    const { argv, env } = contestant.command(port, directory)
    const child = spawn('taskset', ['-c', String(SERVER_CORE), ...argv], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk).slice(-OUTPUT_LENGTH_MAX)
      })
    const running = new RunningContestant(port, child, directory)
    const deadlineMs = performance.now() + START_MS_MAX
    while (!(await contestant.probe(port).catch(() => false))) {
      if (running.#ended || performance.now() > deadlineMs) {
        await running.stop()
        throw new Error(`${contestant.name} does not answer on port ${port}\n${output}`)
      }
      await sleep(20)
    }
    return running
  }

  /** CPU time that all its threads have used so far. */
  cpuUs(): number {
    // proc(5): utime and stime are fields 14 and 15, counted after the name, which may hold spaces.
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK
  }

  async stop(): Promise<void> {
    if (!this.#ended) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX)
      await exit
      clearTimeout(kill)
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}
