import { Worker } from 'node:worker_threads'
import { SequenceError, shuttingDown } from '../core/errors.ts'
import { WAIT_MS_MAX } from '../core/limits.ts'
import { compileThreadsInTheForeground } from './background-compile.ts'
import { type Job, linesOf, type Row, type Run, rowsOf, runsOf } from './batch.ts'
import {
  BATCH_MS_TARGET,
  BATCH_RUNS_MAX,
  SCRIPT_LOAD_MS_MAX,
  SCRIPT_MS_MAX,
  SCRIPT_STARVED_MS_MAX,
  START_PAUSE_MS,
  STARTS_MAX,
} from './limits.ts'
import { cpuMsOf } from './system-thread.ts'
import type { ScriptMessage, ScriptSource } from './worker.ts'

/** What a script says of its rule. */
export interface ScriptSettings {
  readonly min: bigint
  readonly max: bigint
  /** Below 1: the counter never starts again. */
  readonly resetSeconds: number
}

// A worker cannot run TypeScript on Node 20: where this file runs as such, under the tests, it is the last build's.
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/rules/worker.js' : './worker.js',
  import.meta.url,
)

compileThreadsInTheForeground()

const HEAP_MEGABYTES_MAX = 32

/** What Lua says when it meets `SCRIPT_BYTES_MAX`. */
const OUT_OF_MEMORY = 'not enough memory'

/**
 * The thread of one rule's script, and the runs that wait for it. Nothing but the end of its thread stops every script, so
 * that is what happens to one that takes too long; the next one is started at once and runs what waits. One that has used up
 * its memory is ended likewise. Where that happens too often, what waits fails, and the next thread is started after a pause.
 *
 * - `loading`: the thread starts; its deadline is armed.
 * - `idle`: the script is loaded; nothing waits, or a flush is scheduled.
 * - `running`: `#batch` is with the thread; its deadline is armed. One batch at a time: what comes meanwhile is the next.
 * - `ended`: there is no thread; the next run starts one, or fails during the pause.
 */
export class ScriptThread {
  readonly #source: ScriptSource
  #state: 'loading' | 'idle' | 'running' | 'ended' = 'ended'
  #worker: Worker | undefined
  #deadline: NodeJS.Timeout | undefined
  #queue: Job[] = []
  #batch: readonly Row[] = []
  #batchJobs = 0
  #batchStartedMs = 0
  /** For `cpuMsOf` its thread. */
  #folder: string | undefined
  /** How many runs to ask for at once: grows while batches are quick, so that one slow script does not add up to a time-out. */
  #batchMax = 1
  #flushScheduled = false
  #isClosed = false
  /** When it may start `STARTS_MAX` threads in a row again: each start puts that off by `START_PAUSE_MS`. */
  #restedMs = 0
  #busyMs = 0
  #kills = 0
  #opened: { resolve: (settings: ScriptSettings) => void; reject: (error: SequenceError) => void } | undefined

  constructor(source: ScriptSource) {
    this.#source = source
  }

  /** Loads the script, once. Rejects with RULE_FAILED, which names file and line. */
  open(): Promise<ScriptSettings> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject }
      this.#start()
    })
  }

  /** Runs that wait, or are under way. */
  get waiting(): number {
    return this.#queue.length + this.#batchJobs
  }

  /** Time that batches took, from handing them over to their answer. */
  get busyMs(): number {
    return this.#busyMs
  }

  /** How often the thread was ended because its script took too long or too much memory. */
  get kills(): number {
    return this.#kills
  }

  /** Why no run is taken now, or undefined: the thread was ended so often that it is started again only after a pause. */
  get refusal(): SequenceError | undefined {
    if (this.#state !== 'ended') return undefined
    const pauseMs = this.#restedMs - performance.now() - (STARTS_MAX - 1) * START_PAUSE_MS
    if (pauseMs <= 0) return undefined
    return this.#failure(
      `had to be ended too often and is started again in ${Math.ceil(pauseMs)} ms: see what its other errors say`,
    )
  }

  /**
   * Resolves with the id. Rejects with RULE_FAILED (the script failed, or was ended), WAIT_TIMEOUT or SHUTTING_DOWN. Then the
   * counter of this run must not be used again.
   */
  run({ timeLine, counter, step, salt, ahead }: Run): Promise<string> {
    const refusal = this.#isClosed ? shuttingDown() : this.refusal
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#queue.push({
        timeLine,
        counter,
        step,
        salt,
        ahead,
        resolve,
        reject,
        expiresMs: performance.now() + WAIT_MS_MAX,
        isSuspect: false,
      })
      if (this.#state === 'ended') this.#start()
      else if (this.#state === 'idle') this.#schedule()
    })
  }

  /** Takes no more runs, finishes those that wait and ends the thread. */
  close(): void {
    this.#isClosed = true
    if (this.waiting === 0) this.#end()
  }

  #start(): void {
    this.#state = 'loading'
    this.#restedMs = Math.max(this.#restedMs, performance.now()) + START_PAUSE_MS
    const worker = new Worker(WORKER, {
      workerData: this.#source,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES_MAX },
    })
    this.#worker = worker
    worker.on('message', (message: ScriptMessage) => {
      if (this.#worker === worker) this.#received(message)
    })
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#useless(`its thread broke: ${error.message}`)
    })
    this.#deadline = setTimeout(
      () => this.#useless(`took longer than ${SCRIPT_LOAD_MS_MAX} ms to load and was ended`),
      SCRIPT_LOAD_MS_MAX,
    )
  }

  #received(message: ScriptMessage): void {
    clearTimeout(this.#deadline)
    if (typeof message === 'string') this.#finishBatch(message)
    else if ('loaded' in message) {
      this.#folder = message.folder
      this.#loaded(message.loaded)
    } else this.#useless(message.failed)
  }

  #loaded(text: string): void {
    const settings = /^=(-?\d+) (-?\d+) (-?\d+)$/.exec(text)
    if (settings === null) {
      this.#useless(text.slice(1))
      return
    }
    const [, min, max, resetSeconds] = settings as unknown as [string, string, string, string]
    this.#opened?.resolve({ min: BigInt(min), max: BigInt(max), resetSeconds: Number(resetSeconds) })
    this.#opened = undefined
    this.#state = 'idle'
    this.#flush()
  }

  /** All requests that came in this turn of the event loop go to the thread together. */
  #schedule(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      if (this.#state === 'idle') this.#flush()
    })
  }

  #flush(): void {
    const jobs = this.#nextJobs()
    if (jobs.length === 0) {
      if (this.#isClosed) this.#end()
      return
    }
    this.#state = 'running'
    // Behind a suspect nothing is made ahead.
    this.#batch = rowsOf(jobs, jobs[0]?.isSuspect ? 1 : this.#batchMax)
    this.#batchJobs = jobs.length
    const lines = linesOf(this.#batch)
    this.#batchStartedMs = performance.now()
    this.#worker?.postMessage(lines)
    this.#deadline = setTimeout(() => this.#watchBatch(), SCRIPT_MS_MAX / 2)
  }

  /** Takes the next runs out of the queue: as many as make a batch, or a suspect alone. */
  #nextJobs(): Job[] {
    const now = performance.now()
    const jobs: Job[] = []
    let taken = 0
    for (const job of this.#queue) {
      const isAlone = jobs.length > 0 && (job.isSuspect || jobs[0]?.isSuspect)
      if (jobs.length === this.#batchMax || isAlone) break
      taken++
      const id = job.ahead?.find(job.counter, job.salt)
      if (id !== undefined) job.resolve(id)
      else if (job.expiresMs > now) jobs.push(job)
      else job.reject(this.#late())
    }
    this.#queue.splice(0, taken)
    return jobs
  }

  #late(): SequenceError {
    return new SequenceError(
      'WAIT_TIMEOUT',
      `${this.#source.name}: earlier runs took longer than ${WAIT_MS_MAX} ms`,
    )
  }

  #finishBatch(text: string): void {
    const tookMs = performance.now() - this.#batchStartedMs
    this.#busyMs += tookMs
    if (tookMs < BATCH_MS_TARGET) this.#batchMax = Math.min(BATCH_RUNS_MAX, this.#batchMax * 2)
    else this.#batchMax = Math.max(1, this.#batchMax >> 1)
    const areIds = text.startsWith('+')
    const results = text.slice(1).split('\n')
    const rows = this.#batch
    // Each run has the result at its place (I1): one more or less, and a number would get the id of another.
    if (results.length !== runsOf(rows)) {
      this.#useless(`answered ${runsOf(rows)} runs with ${results.length} results`)
      return
    }
    this.#batch = []
    this.#batchJobs = 0
    let at = 0
    for (const { jobs, extra } of rows) {
      const { ahead, salt, counter } = jobs.at(-1) as Job
      const end = at + jobs.length
      if (areIds) ahead?.keep(salt, counter, jobs.length, results.slice(end, end + extra))
      else ahead?.begin()
      for (const job of jobs) {
        const result = results[at++] as string
        if (areIds) job.resolve(result)
        else if (result.startsWith('=')) job.resolve(result.slice(1))
        else job.reject(this.#failure(result.slice(1)))
      }
      at = end + extra
    }
    if (!areIds && results.some((result) => result.startsWith('!') && result.includes(OUT_OF_MEMORY)))
      this.#kill()
    else {
      this.#state = 'idle'
      this.#flush()
    }
  }

  /** Half of its time is over, which few batches see: only these are worth reading the clock of the thread. */
  #watchBatch(): void {
    const cpuMs = cpuMsOf(this.#folder)
    this.#deadline = setTimeout(() => this.#checkBatch(cpuMs), SCRIPT_MS_MAX / 2)
  }

  /** A script that loops uses a whole core: one that used less in the second half of its time was kept from running. */
  #checkBatch(halfCpuMs: number): void {
    const leftMs = SCRIPT_MS_MAX / 2 - (cpuMsOf(this.#folder) - halfCpuMs)
    // Timers take whole milliseconds.
    const isStarved = leftMs >= 1 && performance.now() - this.#batchStartedMs < SCRIPT_STARVED_MS_MAX
    if (isStarved) this.#deadline = setTimeout(() => this.#checkBatch(halfCpuMs), leftMs)
    else this.#tooLong()
  }

  /** Only a single run shows whose fault it is; of more, each that is waited for is run again, alone, and none has been answered yet. */
  #tooLong(): void {
    const runs = runsOf(this.#batch)
    const jobs = this.#leaveBatch()
    this.#busyMs += performance.now() - this.#batchStartedMs
    for (const { ahead } of jobs) ahead?.stop()
    if (runs === 1) jobs[0]?.reject(this.#failure(`ran longer than ${SCRIPT_MS_MAX} ms and was ended`))
    else {
      for (const job of jobs) job.isSuspect = true
      this.#queue.unshift(...jobs)
    }
    this.#kill()
  }

  /** The script cannot be loaded, or its thread cannot go on: all that waits fails, and the next run starts another one. */
  #useless(reason: string): void {
    const error = this.#failure(reason)
    this.#end()
    this.#opened?.reject(error)
    this.#opened = undefined
    for (const { reject } of [...this.#leaveBatch(), ...this.#queue.splice(0)]) reject(error)
  }

  /** The runs of the batch, which is over. */
  #leaveBatch(): Job[] {
    const jobs = this.#batch.flatMap(({ jobs }) => jobs)
    this.#batch = []
    this.#batchJobs = 0
    return jobs
  }

  #kill(): void {
    this.#kills++
    this.#end()
    const { refusal } = this
    if (refusal !== undefined) for (const { reject } of this.#queue.splice(0)) reject(refusal)
    else if (this.#queue.length > 0 || !this.#isClosed) this.#start()
  }

  #end(): void {
    clearTimeout(this.#deadline)
    this.#state = 'ended'
    this.#batchMax = 1
    void this.#worker?.terminate()
    this.#worker = undefined
  }

  /** Lua names the file, and the line, in most of its messages. */
  #failure(what: string): SequenceError {
    const { name } = this.#source
    return new SequenceError('RULE_FAILED', what.startsWith(name) ? what : `${name}: ${what}`)
  }
}
