import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { freePort } from './free-port.ts'
import type { TestDatabase } from './mysql-server.ts'
import { ROOT } from './root.ts'
import { until } from './until.ts'

const READY_MS_MAX = 20_000

/** The built seqsvr as users run it: a process of its own, on one port for all its lives. */
export class SeqsvrProcess {
  readonly port: number
  readonly url: string
  readonly #env: Readonly<Record<string, string>>
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #output = ''

  private constructor(port: number, env: Readonly<Record<string, string>>, args: readonly string[]) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.#env = env
    this.#args = args
  }

  /** Starts an instance with settings from the environment, on a free port, and waits until it is ready. */
  static async start(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Promise<SeqsvrProcess> {
    const instance = new SeqsvrProcess(await freePort(), env, args)
    await instance.restart()
    return instance
  }

  /** Starts an instance without waiting until it is ready. */
  static async startUnready(env: Readonly<Record<string, string>>): Promise<SeqsvrProcess> {
    const instance = new SeqsvrProcess(await freePort(), env, [])
    instance.#spawn()
    return instance
  }

  /** Whether it was started and has not ended. */
  get running(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child)
  }

  /** The memory of it that is in RAM. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** What it has written to standard output and standard error in all its lives. */
  get output(): string {
    return this.#output
  }

  /** Starts it again on the same port after `stop` or `kill`, and waits until it is ready. */
  async restart(): Promise<void> {
    const child = this.#spawn()
    try {
      await until(READY_MS_MAX, async () => {
        if (hasEnded(child)) throw new Error('it ended')
        const response = await fetch(`${this.url}/readyz`).catch(() => undefined)
        await response?.body?.cancel().catch(() => {})
        return response?.ok === true
      })
    } catch (error) {
      await this.kill()
      throw new Error(`seqsvr did not become ready\n${this.#output}`, { cause: error })
    }
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [`${ROOT}/dist/main.js`, ...this.#args], {
      // Where there is no config.yml: the environment is all that an instance of the tests has.
      cwd: `${ROOT}/test`,
      env: { ...process.env, ...this.#env, SEQSVR_PORT: `127.0.0.1:${this.port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
    return child
  }

  /** Sends a signal that does not end it. */
  signal(signal: 'SIGHUP' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  /** SIGTERM. Resolves to the exit code, or null when a signal ended it. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** SIGKILL, or nothing when it has ended already. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined) throw new Error('seqsvr was never started')
    if (!hasEnded(child)) {
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    }
    return child.exitCode
  }
}

/** Settings for an instance on a database of the shared test server. */
export function mysqlEnv({ host, port, user, password, database }: TestDatabase): Record<string, string> {
  return {
    SEQSVR_MYSQL_HOST: host,
    SEQSVR_MYSQL_PORT: String(port),
    SEQSVR_MYSQL_USER: user,
    SEQSVR_MYSQL_PASSWORD: password,
    SEQSVR_MYSQL_DATABASE: database,
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
