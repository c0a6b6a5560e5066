import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  prometheusContentType,
  Registry,
} from '@platformatic/prom-client'
import type { ErrorCode } from '../../core/errors.ts'
import type { SequenceEvent } from '../../core/sequence.ts'
import { LEASE_KINDS, type LeaseKind } from '../../status/recorder.ts'
import type { InstanceStatus } from '../../status/status.ts'
import type { Reply } from './reply.ts'
import { type StatusMetric, statusMetrics } from './status-metrics.ts'

/** From one commit on a fast disk to the longest deadline that a store usually has. */
const LEASE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Codes with which leases fail: there from the start, as those of requests are. */
const LEASE_FAILURES: readonly ErrorCode[] = [
  'EXHAUSTED',
  'REGRESSED',
  'STEP_MISMATCH',
  'STORE_MISCONFIGURED',
  'STORE_UNAVAILABLE',
]

/** They walk over all connections at each scrape, and their names are not what Prometheus's conventions want. */
const HANDLE_METRICS = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
])

/** The metrics of one process with their values, to be put together with those of others. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/**
 * What one process tells Prometheus. Leases are counted as they come; all else is read from the status of the instance when
 * Prometheus asks, so that no id costs anything. docs/metrics.md tells of each metric.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #publishers: readonly ((status: InstanceStatus) => void)[]
  readonly #leases
  readonly #leaseIds
  readonly #leaseFailures
  readonly #leaseSeconds

  constructor() {
    const registers = [this.#registry]
    this.#publishers = statusMetrics.map((metric) => register(metric, this.#registry))
    this.#leases = new Counter({
      name: 'seqsvr_leases_total',
      help: 'Leases granted, by what they are for: the generator, named sequences, or counters of rules.',
      labelNames: ['kind'],
      registers,
    })
    this.#leaseIds = new Counter({
      name: 'seqsvr_lease_ids_total',
      help: 'Ids in these leases.',
      labelNames: ['kind'],
      registers,
    })
    this.#leaseFailures = new Counter({
      name: 'seqsvr_lease_failures_total',
      help: 'Requests for leases that the store failed or refused, by error code.',
      labelNames: ['kind', 'code'],
      registers,
    })
    this.#leaseSeconds = new Histogram({
      name: 'seqsvr_lease_duration_seconds',
      help: 'Time from asking the store for leases to its answer, granted or not.',
      labelNames: ['kind'],
      buckets: LEASE_SECONDS,
      registers,
    })
    for (const kind of LEASE_KINDS) {
      this.#leases.inc({ kind }, 0)
      this.#leaseIds.inc({ kind }, 0)
      this.#leaseSeconds.zero({ kind })
      for (const code of LEASE_FAILURES) this.#leaseFailures.inc({ kind, code }, 0)
    }
    collectDefaultMetrics({ register: this.#registry })
    for (const name of HANDLE_METRICS) this.#registry.removeSingleMetric(name)
  }

  /** Takes note of a lease, or of why there was none. */
  readonly observeLease = (kind: LeaseKind, event: SequenceEvent): void => {
    this.#leaseSeconds.observe({ kind }, event.tookMs / 1000)
    if (event.type === 'leased') {
      this.#leases.inc({ kind }, event.leases.length)
      this.#leaseIds.inc({ kind }, event.ids)
    } else this.#leaseFailures.inc({ kind, code: event.error.code })
  }

  /** All metrics with the values of now: as text, or as JSON where those of several processes are to be put together. */
  publish(status: InstanceStatus): Registry {
    for (const publish of this.#publishers) publish(status)
    return this.#registry
  }
}

/** Registers a metric. What it returns sets its values. */
function register(
  { type, samples, ...config }: StatusMetric,
  registry: Registry,
): (status: InstanceStatus) => void {
  const options = { ...config, registers: [registry] }
  if (type === 'gauge') {
    const gauge = new Gauge(options)
    return (status) => {
      gauge.reset()
      for (const [labels, value] of samples(status)) gauge.set(labels, value)
    }
  }
  const counter = new Counter(options)
  return (status) => {
    counter.reset()
    for (const [labels, value] of samples(status)) counter.inc(labels, value)
  }
}

/** The answer to `GET /metrics`. */
export function toMetricsReply(body: string): Reply {
  return {
    status: 200,
    headers: { 'content-type': prometheusContentType, 'cache-control': 'no-store' },
    body,
  }
}
