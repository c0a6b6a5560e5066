import { AggregatorRegistry, Gauge, Registry } from '@platformatic/prom-client'
import type { MetricsJson } from './metrics.ts'

/** Series of one metric that are kept of workers that have ended: sequences may have ever new names (I9). */
const ENDED_SERIES_MAX = 1_000

/**
 * The metrics of several workers as those of one process. The counters of a worker that has ended, as they were told last,
 * stay in the sums: a sum that fell would look to Prometheus like a restart, and all of the rest like new.
 */
export class TreeMetrics {
  /** The counters that each worker told last. */
  readonly #last = new Map<number, MetricsJson>()
  readonly #ended: MetricsJson[] = []
  readonly #registry = new Registry()
  readonly #workers = new Gauge({
    name: 'seqsvr_workers',
    help: 'Workers that should serve.',
    registers: [this.#registry],
  })
  readonly #answering = new Gauge({
    name: 'seqsvr_workers_answering',
    help: 'Workers whose figures are among these as they are now.',
    registers: [this.#registry],
  })

  /** The text for `workers` workers that should be there, of which some gave `answers`, by their ids. One call at a time. */
  async publish(workers: number, answers: ReadonlyMap<number, MetricsJson>): Promise<string> {
    for (const [id, answer] of answers) this.#last.set(id, answer.filter(isCounting))
    const silent = [...this.#last].filter(([id]) => !answers.has(id)).map(([, last]) => last)
    const ended = this.#ended.splice(0)
    if (ended.length > 0) this.#ended.push(await sum(ended))
    this.#workers.set(workers)
    this.#answering.set(answers.size)
    const own = await this.#registry.getMetricsAsJSON()
    return AggregatorRegistry.aggregate([own, ...answers.values(), ...silent, ...ended]).metrics()
  }

  /** A worker that is no more. */
  end(id: number): void {
    const last = this.#last.get(id)
    if (last !== undefined) this.#ended.push(last)
    this.#last.delete(id)
  }
}

async function sum(all: readonly MetricsJson[]): Promise<MetricsJson> {
  const summed = await AggregatorRegistry.aggregate([...all]).getMetricsAsJSON()
  return summed.map((metric) => ({ ...metric, values: metric.values.slice(0, ENDED_SERIES_MAX) }))
}

/** Their type is text at run time, whatever the declarations say. */
function isCounting({ type }: MetricsJson[number]): boolean {
  return ['counter', 'histogram'].includes(String(type))
}
