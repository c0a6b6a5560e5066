import { hostname } from 'node:os'
import type { Logger } from '@logtape/logtape'
import { v7 as uuidv7 } from 'uuid'
import type { ListenAddress } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import { Administration, type Held } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import type { Sequences } from '../core/sequences.ts'
import type { SegmentStore, Store } from '../core/store.ts'
import { Metrics, type MetricsJson } from '../fronts/http/metrics.ts'
import { HttpFront } from '../fronts/http/server.ts'
import { RedisFront } from '../fronts/redis/server.ts'
import { UdpFront } from '../fronts/udp/server.ts'
import { openLog } from '../log.ts'
import type { Rules } from '../rules/rules.ts'
import { Recorder, type ShownFront } from '../status/recorder.ts'
import type { InstanceStatus } from '../status/status.ts'
import { createAdminLog } from './admin-log.ts'
import { EXIT_CONFIG, EXIT_RUNTIME } from './exit-codes.ts'
import { boundTo, describeListenError, listeningOn, urlOf } from './listening.ts'
import { openCore } from './open-core.ts'
import { openRules } from './open-rules.ts'
import { openStore } from './open-store.ts'
import { startPruning } from './pruning.ts'
import { version } from './version.ts'
import type { Change, SharedSequences } from './workers/shared-sequences.ts'

/** The workers that an instance is one of. */
export interface Tree {
  /** The status of each worker. */
  statuses(): Promise<readonly InstanceStatus[]>
  /** The text of `/metrics` for all of them. */
  metrics(): Promise<string>
  /** Tells the others of a change made by way of this one. */
  tell(change: Change): void
}

/** One instance: its store, its sequences and its fronts. */
export class Instance {
  readonly log: Logger
  /** Where it listens, in words for people: filled by `start`. */
  readonly announcement: string[] = []
  readonly #config: Config
  readonly #store: Store
  readonly #metrics = new Metrics()
  readonly #recorder: Recorder
  readonly #core: Held & { readonly sequences: SharedSequences }
  readonly #rules: Rules
  readonly #http: HttpFront
  readonly #redis: RedisFront | undefined
  readonly #udp: UdpFront | undefined
  readonly #fronts: ShownFront[] = []
  #draining = false
  /** As the log was told last. */
  #wasReady = true

  /** `tree` is undefined where the instance is alone. */
  constructor(config: Config, tree?: Tree) {
    const uuid = uuidv7()
    this.#config = config
    this.log = openLog(config.log.level).with({ instance: uuid })
    const store = openStore(config, uuid)
    this.#store = store
    this.#recorder = new Recorder({
      uuid,
      version: version(),
      host: hostname(),
      wallClock: Date.now,
      observeLease: this.#metrics.observeLease,
    })
    const tell = (change: Change) => tree?.tell(change)
    const core = openCore(config, store, this.log, this.#recorder, tell)
    this.#core = core
    this.#rules = openRules(config, store, this.log, this.#recorder)
    const renewGenerator = () => {
      core.generator.renew()
      tell({ name: null, retired: false })
    }
    this.#http = new HttpFront({
      ...config.port,
      ...core,
      rules: this.#rules,
      readiness: () => this.#unreadiness(),
      statuses: tree === undefined ? async () => [this.status()] : () => tree.statuses(),
      metrics: tree === undefined ? () => this.metricsText() : () => tree.metrics(),
      fleet: async (sinceMs) => (await store.provenance?.instances(sinceMs)) ?? [],
      requestIdsMax: config.request_ids_max,
      version: version(),
      admin:
        config.admin.token === undefined
          ? undefined
          : {
              administration: new Administration(store, {
                generator: { renew: renewGenerator },
                sequences: core.sequences,
              }),
              sequences: core.sequences,
              token: config.admin.token,
              observe: createAdminLog(this.log, performance.now.bind(performance)),
            },
      connectionsMax: config.http.connections_max,
      keepAliveMs: config.http.keep_alive_ms,
      lane: config.http.express_lane,
    })
    this.#redis = openRedis(config, core.sequences, store.segments)
    this.#udp =
      config.udp.rules.length === 0
        ? undefined
        : new UdpFront({ ...config.udp.port, networks: config.udp.networks, rules: this.#rules })
    setInterval(() => this.#eachSecond(), 1_000).unref()
  }

  /** Resolves with undefined when it serves, or with the exit code after it has told in the log what a person must do. */
  async start(): Promise<number | undefined> {
    const { port, redis, udp, provenance } = this.#config
    try {
      await this.#rules.load(udp.rules)
    } catch (error) {
      this.log.error((error as Error).message)
      return EXIT_CONFIG
    }
    const listening =
      (await this.#listen('http', this.#http, port, '--port or SEQSVR_PORT')) &&
      (await this.#listen('redis', this.#redis, redis.port, '--redis-port or SEQSVR_REDIS_PORT')) &&
      (await this.#listen('udp', this.#udp, udp.port, '--udp-port or SEQSVR_UDP_PORT'))
    if (!listening || !(await prepare(this.#store, this.log))) return EXIT_RUNTIME
    this.#core.generator.warm()
    if (this.#store.provenance !== undefined)
      startPruning(this.#store.provenance, provenance.days, Math.random, this.log)
    return undefined
  }

  /** What it tells of itself. */
  status(): InstanceStatus {
    return this.#recorder.status({
      unreadiness: this.#unreadiness(),
      store: this.#store.description,
      sequences: this.#core.sequences,
      fronts: this.#fronts,
      scripts: this.#rules.scripts,
    })
  }

  metricsText(): Promise<string> {
    return this.#metrics.publish(this.status()).metrics()
  }

  metricsJson(): Promise<MetricsJson> {
    return this.#metrics.publish(this.status()).getMetricsAsJSON()
  }

  /**
   * Takes over the log level and the rules: both, or neither where a rule is wrong, which it rejects with. Resolves with
   * what it took over, in words.
   */
  async reload({ log: { level }, udp }: Config): Promise<string> {
    await this.#rules.load(udp.rules)
    openLog(level)
    return `log level ${level}, rules: ${this.#rules.names.join(', ') || 'none'}`
  }

  /** Takes note of a change that was made by way of another worker. */
  hear({ name, retired }: Change): void {
    if (name === null) this.#core.generator.renew()
    else this.#core.sequences.hear(name, retired)
  }

  /** Finishes what is open, for at most `drain_ms`. `reason` is for the log. */
  async drain(reason: string): Promise<void> {
    const { drain_ms } = this.#config
    this.log.info(`${reason}: draining for at most ${drain_ms} ms`)
    this.#draining = true
    await Promise.all([this.#http, this.#redis, this.#udp].map((front) => front?.drain(drain_ms)))
    this.#rules.close()
    this.#core.generator.close()
    this.#core.sequences.close()
    await this.#store.close()
    this.log.info('stopped')
  }

  async #listen(
    name: ShownFront['name'],
    front: HttpFront | RedisFront | UdpFront | undefined,
    address: ListenAddress | 'off',
    setting: string,
  ): Promise<boolean> {
    if (front === undefined) return true
    try {
      const bound = await front.listen()
      this.#fronts.push({ name, address: boundTo(bound), front })
      if (name === 'http')
        this.announcement.push(
          `listening on ${listeningOn(bound, 'http://')}, ${this.#store.description}, host ${hostname()}; try: curl ${urlOf(bound)}/new`,
        )
      else if (name === 'redis') this.announcement.push(`Redis protocol on ${listeningOn(bound)}`)
      else this.announcement.push(`UDP on ${listeningOn(bound)}, rules: ${this.#rules.names.join(', ')}`)
      return true
    } catch (error) {
      this.log.error(describeListenError(error, address as ListenAddress, setting))
      return false
    }
  }

  #eachSecond(): void {
    this.#recorder.sample()
    const reason = this.#unreadiness()
    if (this.#draining || (reason === undefined) === this.#wasReady) return
    this.#wasReady = reason === undefined
    if (this.#wasReady) this.log.info('ready again')
    else this.log.warn(`not ready: ${reason}`)
  }

  /** Why no request should come here, judged without asking the store. */
  #unreadiness(): string | undefined {
    return this.#draining ? 'draining' : (coreUnreadiness(this.#core) ?? this.#rules.refusal)
  }
}

function coreUnreadiness({ generator, sequences }: Held): string | undefined {
  for (const { fault } of [generator, ...sequences.all()])
    if (fault?.code === 'REGRESSED') return fault.message
  if (generator.left > 0) return undefined
  return generator.fault?.message ?? (generator.everLeased ? undefined : 'waiting for the first lease')
}

/** The Redis front, or undefined where it is off. */
function openRedis(
  { redis, request_ids_max }: Config,
  sequences: Sequences,
  segments: SegmentStore,
): RedisFront | undefined {
  if (redis.port === 'off') return undefined
  return new RedisFront({
    ...redis.port,
    password: redis.password,
    sequences,
    segments,
    requestIdsMax: request_ids_max,
    connectionsMax: redis.connections_max,
    argumentsMax: redis.arguments_max,
    bulkBytesMax: redis.bulk_bytes_max,
    inlineBytesMax: redis.inline_bytes_max,
    commandBytesMax: redis.command_bytes_max,
    unauthenticatedArgumentsMax: redis.unauthenticated_arguments_max,
    unauthenticatedBulkBytesMax: redis.unauthenticated_bulk_bytes_max,
    outputBytesMax: redis.output_bytes_max,
    unreadMsMax: redis.unread_ms_max,
    idleMsMax: redis.idle_ms_max,
  })
}

/** False where a person must act before this instance can ever serve. An outage is not such a case. */
async function prepare(store: Store, log: Logger): Promise<boolean> {
  try {
    await store.prepare()
    return true
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    if (error.code !== 'STORE_UNAVAILABLE') {
      log.error(error.message, { error: error.code })
      return false
    }
    log.warn(`not ready, and trying again until the store answers: ${error.message}`, { error: error.code })
    return true
  }
}
