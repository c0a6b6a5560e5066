import type { Logger } from '@logtape/logtape'
import { v7 as uuidv7 } from 'uuid'
import type { ListenAddress } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import { Administration, type Held } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import type { Sequences } from '../core/sequences.ts'
import type { SegmentStore, Store } from '../core/store.ts'
import { Metrics } from '../fronts/http/metrics.ts'
import { HttpFront } from '../fronts/http/server.ts'
import { RedisFront } from '../fronts/redis/server.ts'
import { UdpFront } from '../fronts/udp/server.ts'
import { openLog } from '../log.ts'
import type { Rules } from '../rules/rules.ts'
import { Recorder, type ShownFront } from '../status/recorder.ts'
import { EXIT_CONFIG, EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { describeListenError, hostAndPort, urlOf } from './listening.ts'
import { openCore } from './open-core.ts'
import { openRules } from './open-rules.ts'
import { openStore } from './open-store.ts'
import { startPruning } from './pruning.ts'
import { version } from './version.ts'

/**
 * Runs an instance until SIGTERM or SIGINT has drained it. Resolves to the exit code. `reload` reads the config
 * again, for SIGHUP.
 */
export async function serve(config: Config, reload: () => Config): Promise<number> {
  const uuid = uuidv7()
  const log = openLog(config.log.level).with({ instance: uuid })
  const store = openStore(config, uuid)
  const metrics = new Metrics()
  const recorder = new Recorder({
    uuid,
    version: version(),
    wallClock: Date.now,
    observeLease: metrics.observeLease,
  })
  const core = openCore(config, store, log, recorder)
  const rules = openRules(config, store, log, recorder)

  let draining = false
  const readiness = () => (draining ? 'draining' : (unreadiness(core) ?? rules.refusal))
  const fronts: ShownFront[] = []
  const status = () =>
    recorder.status({
      unreadiness: readiness(),
      store: store.description,
      sequences: core.sequences,
      fronts,
      scripts: rules.scripts,
    })
  setInterval(() => recorder.sample(), 1_000).unref()
  const http = new HttpFront({
    ...config.port,
    ...core,
    rules,
    readiness,
    statuses: async () => [status()],
    metrics: () => metrics.publish(status()).metrics(),
    fleet: async (sinceMs) => (await store.provenance?.instances(sinceMs)) ?? [],
    requestIdsMax: config.request_ids_max,
    version: version(),
    admin:
      config.admin.token === undefined
        ? undefined
        : {
            administration: new Administration(store, core),
            sequences: core.sequences,
            token: config.admin.token,
          },
    connectionsMax: config.http.connections_max,
    keepAliveMs: config.http.keep_alive_ms,
    lane: config.http.express_lane,
  })

  const redis = openRedis(config, core.sequences, store.segments)
  const udp =
    config.udp.rules.length === 0
      ? undefined
      : new UdpFront({ ...config.udp.port, networks: config.udp.networks, rules })

  const stop = stopSignal()
  process.on('SIGHUP', () => void reloadParts(reload, rules, log))
  try {
    await rules.load(config.udp.rules)
  } catch (error) {
    log.error((error as Error).message)
    return EXIT_CONFIG
  }
  let url: string
  try {
    const address = await http.listen()
    url = urlOf(address)
    fronts.push({ name: 'http', address: hostAndPort(address), front: http })
  } catch (error) {
    log.error(describeListenError(error, config.port, '--port or SEQSVR_PORT'))
    return EXIT_RUNTIME
  }
  try {
    if (redis !== undefined) {
      const address = hostAndPort(await redis.listen())
      log.info(`Redis protocol on ${address}`)
      fronts.push({ name: 'redis', address, front: redis })
    }
  } catch (error) {
    log.error(
      describeListenError(error, config.redis.port as ListenAddress, '--redis-port or SEQSVR_REDIS_PORT'),
    )
    return EXIT_RUNTIME
  }
  try {
    if (udp !== undefined) {
      const address = hostAndPort(await udp.listen())
      log.info(`UDP on ${address}, rules: ${rules.names.join(', ')}`)
      fronts.push({ name: 'udp', address, front: udp })
    }
  } catch (error) {
    log.error(describeListenError(error, config.udp.port, '--udp-port or SEQSVR_UDP_PORT'))
    return EXIT_RUNTIME
  }
  if (!(await prepare(store, log))) return EXIT_RUNTIME
  core.generator.warm()
  if (store.provenance !== undefined) startPruning(store.provenance, config.provenance.days, Math.random, log)
  log.info(`listening on ${url}, ${store.description}; try: curl ${url}/new`, { step: config.step })

  log.info(`${await stop}: draining for at most ${config.drain_ms} ms`)
  draining = true
  await Promise.all([http.drain(config.drain_ms), redis?.drain(config.drain_ms), udp?.drain(config.drain_ms)])
  rules.close()
  core.generator.close()
  core.sequences.close()
  await store.close()
  log.info('stopped')
  return EXIT_OK
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

/** Why no request should come here, judged without asking the store. */
function unreadiness({ generator, sequences }: Held): string | undefined {
  for (const { fault } of [generator, ...sequences.all()])
    if (fault?.code === 'REGRESSED') return fault.message
  if (generator.left > 0) return undefined
  return generator.fault?.message ?? (generator.everLeased ? undefined : 'waiting for the first lease')
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

/** Resolves with the first signal that asks to stop; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(EXIT_RUNTIME)
      stopping = true
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** The log level and the rules: both, or neither where the configuration or a rule is wrong. */
async function reloadParts(reload: () => Config, rules: Rules, log: Logger): Promise<void> {
  try {
    const {
      log: { level },
      udp,
    } = reload()
    await rules.load(udp.rules)
    openLog(level)
    log.info(`reloaded: log level ${level}, rules: ${rules.names.join(', ') || 'none'}`)
  } catch (error) {
    log.error(`not reloaded, going on as before: ${(error as Error).message}`)
  }
}
