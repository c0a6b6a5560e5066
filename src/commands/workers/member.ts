import cluster, { type Worker } from 'node:cluster'
import type { Config } from '../../config/schema.ts'
import type { InstanceStatus } from '../../status/status.ts'
import { EXIT_OK } from '../exit-codes.ts'
import { Instance, type Tree } from '../instance.ts'
import { GATHERED_MS_MAX } from './limits.ts'
import type { Question, ReloadOutcome, ToPrimary, ToWorker } from './messages.ts'
import { oneAtATime, Questions } from './questions.ts'
import type { Change } from './shared-sequences.ts'

/** A worker: an instance, and its side of the talk with the primary. */
export class Member implements Tree {
  readonly #instance: Instance
  readonly #questions = new Questions()
  readonly #started: Promise<number | undefined>
  /** Why the primary wants it to end. */
  readonly #dismissed: Promise<string>

  constructor(config: Config) {
    this.#dismissed = new Promise((resolve) => {
      process.on('message', (message: ToWorker) => {
        if (message.type === 'drain') resolve(message.reason)
        else this.#receive(message)
      })
      const worker = cluster.worker as Worker
      worker.on('disconnect', () => {
        // Or Node ends this process at once, with its requests.
        worker.exitedAfterDisconnect = true
        resolve('the primary has ended')
      })
    })
    this.#instance = new Instance(config, this)
    this.#started = this.#instance.start()
  }

  /** Serves until the primary, or `signal`, has it drain. Resolves with the exit code. */
  async run(signal: Promise<string>): Promise<number> {
    const exitCode = await this.#started
    if (exitCode !== undefined) return exitCode
    const { announcement } = this.#instance
    send({ type: 'up', status: this.#instance.status(), announcement })
    await this.#instance.drain(await Promise.race([signal, this.#dismissed]))
    return EXIT_OK
  }

  readonly statuses = oneAtATime(
    async () => ((await this.#ask('status')) as InstanceStatus[] | undefined) ?? [this.#instance.status()],
  )

  readonly metrics = oneAtATime(
    async () => ((await this.#ask('metrics')) as string | undefined) ?? this.#instance.metricsText(),
  )

  tell(change: Change): void {
    send({ type: 'changed', change })
  }

  /** Resolves with undefined where the primary does not answer. */
  #ask(question: Question): Promise<unknown> {
    return this.#questions.ask(GATHERED_MS_MAX, (id) => send({ type: 'ask', id, question }))
  }

  async #receive(message: ToWorker): Promise<void> {
    switch (message.type) {
      case 'changed':
        this.#instance.hear(message.change)
        break
      case 'answer':
        this.#questions.answer(message.id, message.answer)
        break
      case 'ask': {
        const answer =
          message.question === 'status' ? this.#instance.status() : await this.#instance.metricsJson()
        send({ type: 'answer', id: message.id, answer })
        break
      }
      case 'reload':
        send({ type: 'answer', id: message.id, answer: await this.#reload(message.config) })
    }
  }

  async #reload(config: Config): Promise<ReloadOutcome> {
    try {
      await this.#started
      return { taken: true, what: await this.#instance.reload(config) }
    } catch (error) {
      return { taken: false, why: (error as Error).message }
    }
  }
}

/** What cannot be sent is lost: then the primary is gone, and this worker drains. */
export function send(message: ToPrimary): void {
  process.send?.(message, undefined, undefined, () => {})
}
