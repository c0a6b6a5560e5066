import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { SequenceError } from '../../core/errors.ts'
import type { Finding } from '../../core/finding.ts'
import type {
  CounterStore,
  GeneratorAgreement,
  GeneratorStore,
  ProvenanceStore,
  SegmentStore,
  Store,
} from '../../core/store.ts'
import type { Calls, CallsOptions } from './calls.ts'
import { unreachable } from './inspection.ts'
import { inspectFile } from './inspection-file.ts'
import type { Answer, Request } from './worker.ts'

export interface SqliteStoreOptions {
  /** Made when missing, with its folder. */
  readonly file: string
  /** Whether missing tables are made. */
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  /** This instance's name. */
  readonly uuid: string
  /** Whether leases are recorded, and leases on record heeded. */
  readonly provenance: boolean
  /** Longest time for one request. A third of it is spent on waiting for another process's lock. */
  readonly timeoutMs: number
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: SequenceError) => void
  readonly deadline: NodeJS.Timeout
}

// A worker cannot run TypeScript on Node 20: where this file runs as such, under the tests, it is the last build's.
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/store/sqlite/worker.js' : './worker.js',
  import.meta.url,
)

/**
 * The embedded store. The database lives in a worker thread, since SQLite blocks for each fsync. One that dies is
 * started again at the next request.
 */
export class SqliteStore implements Store {
  readonly description: string
  readonly generator: GeneratorStore = {
    lease: (ids, seenEnd) => this.#ask('leaseGenerator', ids, seenEnd),
    advanceBy: (ids) => this.#ask('advanceGenerator', ids),
  }
  readonly segments: SegmentStore = {
    source: (name) => ({
      lease: (ids, seenEnd) => this.#ask('leaseSegment', name, ids, seenEnd),
    }),
    existing: (names) => this.#ask('existing', names),
    list: (after, limit) => this.#ask('list', after, limit),
    create: (name, start, step) => this.#ask('create', name, start, step),
    advanceTo: (name, start) => this.#ask('advanceTo', name, start),
    advanceBy: (name, ids) => this.#ask('advanceBy', name, ids),
    retire: (name) => this.#ask('retire', name),
  }
  readonly counters: CounterStore = {
    reserve: (key, demand) => this.#ask('reserveCounter', key, demand),
    read: (key) => this.#ask('readCounter', key),
  }
  readonly provenance: ProvenanceStore | undefined

  readonly #options: SqliteStoreOptions
  #worker: Worker | undefined
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  /** Requests past their deadline that the worker has not answered yet. */
  #overdue = 0
  #closed: Promise<void> | undefined

  constructor(options: SqliteStoreOptions) {
    this.#options = options
    this.description = `SQLite in ${options.file}`
    if (!options.provenance) return
    this.provenance = {
      find: (sequence, id) => this.#ask('findLease', sequence, id),
      page: (after, limit) => this.#ask('pageLeases', after, limit),
      positions: (sequences) => this.#ask('positions', sequences),
      instances: (sinceMs) => this.#ask('instances', sinceMs),
      prune: (ageMs, afterMs) => this.#ask('pruneLeases', ageMs, afterMs),
    }
  }

  /** The file first: a reader that closes it would end the locks that the worker has on it. */
  async inspect(): Promise<readonly Finding[]> {
    const around = inspectFile(this.#options.file)
    return [...around, ...(await this.#ask('inspect').catch((error: SequenceError) => [unreachable(error)]))]
  }

  prepare(): Promise<void> {
    return this.#ask('prepare')
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #ask<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): Promise<ReturnType<Calls[K]>> {
    if (this.#closed !== undefined) return Promise.reject(closed())
    // I9: no queue grows while a disk hangs.
    if (this.#overdue > 0) return Promise.reject(this.#tooSlow())
    this.#worker ??= this.#start()
    const worker = this.#worker
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        // I2: whatever the answer will be, it comes too late.
        this.#pending.delete(id)
        this.#overdue++
        reject(this.#tooSlow())
      }, this.#options.timeoutMs)
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject, deadline })
      worker.postMessage({ id, call, args } satisfies Request)
    })
  }

  #start(): Worker {
    const { file, schema, agreement, uuid, provenance, timeoutMs } = this.#options
    const workerData: CallsOptions = {
      file: resolve(file),
      schema,
      agreement,
      uuid,
      provenance,
      // A transaction waits at most twice, to begin and to commit, and then still answers in time.
      busyTimeoutMs: Math.floor(timeoutMs / 3),
    }
    // In this thread alone: that node:sqlite is experimental is our business and not that of who reads the log.
    const worker = new Worker(WORKER, { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] })
    let cause: unknown
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      this.#worker = undefined
      this.#overdue = 0
      const why = cause instanceof Error ? `: ${cause.message}` : ''
      this.#rejectAll(
        new SequenceError(
          'STORE_UNAVAILABLE',
          `the thread of ${this.description} ended${why}; trying again`,
          { cause },
        ),
      )
    })
    return worker
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    if (pending === undefined) {
      this.#overdue--
      return
    }
    this.#pending.delete(answer.id)
    clearTimeout(pending.deadline)
    if ('result' in answer) pending.resolve(answer.result)
    else {
      const { code, message, floor } = answer.refusal
      pending.reject(new SequenceError(code, message, floor === undefined ? {} : { floor }))
    }
  }

  #rejectAll(error: SequenceError): void {
    for (const { reject, deadline } of this.#pending.values()) {
      clearTimeout(deadline)
      reject(error)
    }
    this.#pending.clear()
  }

  #tooSlow(): SequenceError {
    return new SequenceError(
      'STORE_UNAVAILABLE',
      `${this.description} did not answer within ${this.#options.timeoutMs} ms: its disk is slow or hangs`,
    )
  }

  async #close(): Promise<void> {
    this.#rejectAll(closed())
    const worker = this.#worker
    if (worker === undefined) return
    worker.postMessage({ id: 0, call: 'close', args: [] } satisfies Request)
    await new Promise<void>((resolve) => {
      // Ends the thread when it comes back from a disk that hangs; nobody waits for that.
      const deadline = setTimeout(() => {
        void worker.terminate()
        worker.unref()
        resolve()
      }, this.#options.timeoutMs)
      worker.on('exit', () => {
        clearTimeout(deadline)
        resolve()
      })
    })
  }
}

function closed(): SequenceError {
  return new SequenceError('SHUTTING_DOWN', 'the store is closed: this instance is shutting down')
}
