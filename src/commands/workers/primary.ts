import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@logtape/logtape'
import type { Config } from '../../config/schema.ts'
import type { MetricsJson } from '../../fronts/http/metrics.ts'
import { TreeMetrics } from '../../fronts/http/tree-metrics.ts'
import { openLog } from '../../log.ts'
import type { InstanceStatus } from '../../status/status.ts'
import { EXIT_CONFIG, EXIT_OK, EXIT_RUNTIME } from '../exit-codes.ts'
import { exitAtOnce, stopSignal } from '../stop-signal.ts'
import { ANSWER_MS_MAX, PAUSE_MS_MAX, PAUSE_MS_MIN, RELOAD_MS_MAX, STABLE_MS } from './limits.ts'
import type { Question, ReloadOutcome, ToPrimary, ToWorker } from './messages.ts'
import { oneAtATime, Questions } from './questions.ts'

interface Running {
  readonly worker: Worker
  readonly startedMs: number
  /** How often in a row the workers before it in its place have died soon. */
  readonly deaths: number
  /** The last one it told; undefined until it serves. */
  status: InstanceStatus | undefined
}

/**
 * The first process of a tree: starts workers, replaces those that die, and hands on what they ask of each other. It holds
 * no sequences and sees no requests: all workers listen on the same sockets, and the system gives each connection to one
 * that is free.
 *
 * The first worker starts alone, so that what is wrong with the configuration or the store is told once and ends the tree.
 */
export class Primary {
  readonly #size: number
  readonly #log: Logger
  /** What new workers get: a file that was changed since the start must not make one differ from the others. */
  #config: Config
  readonly #members = new Map<number, Running>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  readonly #questions = new Questions()
  readonly #metrics = new TreeMetrics()
  readonly #gather: Readonly<Record<Question, () => Promise<unknown>>> = {
    status: oneAtATime(() => this.#statuses()),
    metrics: oneAtATime(() => this.#metricsText()),
  }
  /** Whether no worker has served yet. */
  #isFirst = true
  /** Whether all workers have served at once. */
  #complete = false
  /** Undefined while the tree serves. */
  #exitCode: number | undefined
  #ended: (exitCode: number) => void = () => {}

  constructor(size: number, config: Config) {
    this.#size = size
    this.#config = config
    this.#log = openLog(config.log.level)
  }

  /** Resolves with the exit code when all workers have ended. `reload` reads the configuration again, for SIGHUP. */
  run(reload: () => Config): Promise<number> {
    // Not round robin, where the primary accepts: a connection that is on its way to a worker that dies would hang for ever, and one
    // that all refuse for connections_max would go round and round.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./main.js', import.meta.url)),
      args: [],
      serialization: 'advanced',
    })
    cluster.on('message', (worker, message: ToPrimary) => this.#receive(worker, message))
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker.id, code, signal))
    void stopSignal(() => {
      for (const { worker } of this.#members.values()) worker.process.kill('SIGKILL')
      exitAtOnce()
    }).then((signal) => this.#end(signal, EXIT_OK))
    process.on('SIGHUP', () => this.#reload(reload))
    return new Promise((resolve) => {
      this.#ended = resolve
      this.#start(0)
    })
  }

  #start(deaths: number): void {
    const worker = cluster.fork()
    // A message to a worker that has just died is one as well: of that its exit tells.
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) this.#onExit(worker.id, null, error.message)
    })
    this.#members.set(worker.id, { worker, startedMs: performance.now(), deaths, status: undefined })
  }

  #receive(worker: Worker, message: ToPrimary): void {
    const member = this.#members.get(worker.id)
    if (member === undefined) return
    switch (message.type) {
      case 'hello':
        send(worker, { type: 'start', config: this.#config })
        break
      case 'up':
        this.#onUp(member, message.status, message.announcement)
        break
      case 'changed':
        for (const other of this.#members.values()) if (other !== member) send(other.worker, message)
        break
      case 'ask':
        this.#gather[message.question]().then((answer) =>
          send(worker, { type: 'answer', id: message.id, answer }),
        )
        break
      case 'answer':
        this.#questions.answer(message.id, message.answer)
    }
  }

  #onUp(member: Running, status: InstanceStatus, announcement: readonly string[]): void {
    // Then it is being killed.
    if (this.#exitCode !== undefined) return
    member.status = status
    if (this.#complete) {
      this.#log.info(`worker ${member.worker.process.pid} serves`)
      return
    }
    if (this.#isFirst) for (let i = 1; i < this.#size; i++) this.#start(0)
    this.#isFirst = false
    this.#complete = this.#serving.length === this.#size
    if (!this.#complete) return
    for (const line of announcement) this.#log.info(line, { step: this.#config.step, workers: this.#size })
  }

  #onExit(id: number, code: number | null, signal: string | null): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#members.delete(id)
    this.#metrics.end(id)
    const hasServed = member.status !== undefined
    if (this.#exitCode !== undefined) {
      if (hasServed && code !== 0) this.#exitCode ||= EXIT_RUNTIME
      if (this.#members.size === 0) this.#ended(this.#exitCode)
      return
    }
    const cannotStart = !hasServed && (code === EXIT_CONFIG || code === EXIT_RUNTIME)
    if (cannotStart && (!this.#complete || this.#serving.length === 0)) {
      this.#end('a worker cannot start', code)
      return
    }
    const lived = performance.now() - member.startedMs
    const deaths = code === 0 || lived >= STABLE_MS ? 0 : member.deaths + 1
    const pauseMs = deaths < 2 ? 0 : Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (deaths - 2))
    const level = code === 0 ? 'info' : 'error'
    this.#log[level](
      `worker ${member.worker.process.pid} ended (${signal ?? `exit ${code}`}): starting another in ${pauseMs} ms`,
    )
    const pause = setTimeout(() => {
      this.#pauses.delete(pause)
      this.#start(deaths)
    }, pauseMs)
    this.#pauses.add(pause)
  }

  /** Has all workers drain. Those that do not serve yet have nothing to drain. */
  #end(reason: string, exitCode: number): void {
    if (this.#exitCode !== undefined) return
    this.#exitCode = exitCode
    for (const pause of this.#pauses) clearTimeout(pause)
    for (const { worker, status } of this.#members.values()) {
      if (status === undefined) worker.process.kill('SIGKILL')
      else send(worker, { type: 'drain', reason })
    }
    if (this.#members.size === 0) this.#ended(exitCode)
  }

  get #serving(): Running[] {
    return [...this.#members.values()].filter(({ status }) => status !== undefined)
  }

  #askMember({ worker }: Running, question: Question): Promise<unknown> {
    return this.#questions.ask(ANSWER_MS_MAX, (id) => send(worker, { type: 'ask', id, question }))
  }

  /** One that does not answer is told of as it was last, and as not ready. */
  #statuses(): Promise<InstanceStatus[]> {
    return Promise.all(
      this.#serving.map(async (member) => {
        const status = (await this.#askMember(member, 'status')) as InstanceStatus | undefined
        if (status !== undefined) member.status = status
        const last = member.status as InstanceStatus
        return status ?? { ...last, unreadiness: `this worker did not answer within ${ANSWER_MS_MAX} ms` }
      }),
    )
  }

  async #metricsText(): Promise<string> {
    const answers = new Map<number, MetricsJson>()
    await Promise.all(
      this.#serving.map(async (member) => {
        const answer = (await this.#askMember(member, 'metrics')) as MetricsJson | undefined
        if (answer !== undefined) answers.set(member.worker.id, answer)
      }),
    )
    // One that has ended meanwhile is among those that have.
    for (const id of answers.keys()) if (!this.#members.has(id)) answers.delete(id)
    return this.#metrics.publish(this.#size, answers)
  }

  /** What can be reloaded, in all workers: each takes over all of it or nothing. */
  #reload(read: () => Config): void {
    let next: Config
    try {
      const { log, udp } = read()
      next = { ...this.#config, log, udp: { ...this.#config.udp, rules: udp.rules } }
    } catch (error) {
      this.#log.error(`not reloaded, going on as before: ${(error as Error).message}`)
      return
    }
    for (const { worker } of this.#members.values()) void this.#reloadWorker(worker, next)
  }

  async #reloadWorker(worker: Worker, config: Config): Promise<void> {
    const outcome = (await this.#questions.ask(RELOAD_MS_MAX, (id) =>
      send(worker, { type: 'reload', id, config }),
    )) as ReloadOutcome | undefined
    const { pid } = worker.process
    if (outcome?.taken !== true) {
      const why = outcome === undefined ? 'it did not answer' : outcome.why
      this.#log.error(`worker ${pid} not reloaded, going on as before: ${why}`)
      return
    }
    // Also where others did not: what is started from now on gets what somebody serves with.
    this.#config = config
    openLog(config.log.level)
    this.#log.info(`worker ${pid} reloaded: ${outcome.what}`)
  }
}

function send(worker: Worker, message: ToWorker): void {
  worker.send(message, () => {})
}
