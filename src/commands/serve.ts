import type { Logger } from '@logtape/logtape'
import { v7 as uuidv7 } from 'uuid'
import type { ListenAddress } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import { Administration, type Held } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import type { Sequences } from '../core/sequences.ts'
import type { SegmentStore, Store } from '../core/store.ts'
import { HttpFront } from '../fronts/http/server.ts'
import { RedisFront } from '../fronts/redis/server.ts'
import { UdpFront } from '../fronts/udp/server.ts'
import { openLog } from '../log.ts'
import type { Rules } from '../rules/rules.ts'
import { EXIT_CONFIG, EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { describeListenError, hostAndPort, urlOf } from './listening.ts'
import { openCore } from './open-core.ts'
import { openRules } from './open-rules.ts'
import { openStore } from './open-store.ts'

/**
 * Runs an instance until SIGTERM or SIGINT has drained it. Resolves to the exit code. `reload` reads the config
 * again, for SIGHUP.
 */
export async function serve(config: Config, reload: () => Config): Promise<number> {
  const uuid = uuidv7()
  const log = openLog(config.log.level).with({ instance: uuid })
  const store = openStore(config, uuid)
  const core = openCore(config, store, log)
  const rules = openRules(config, store, log)

  let draining = false
  const readiness = () => (draining ? 'draining' : (unreadiness(core) ?? rules.refusal))
  const http = new HttpFront({
    ...config.port,
    ...core,
    rules,
    readiness,
    requestIdsMax: config.request_ids_max,
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
    url = urlOf(await http.listen())
  } catch (error) {
    log.error(describeListenError(error, config.port, '--port or SEQSVR_PORT'))
    return EXIT_RUNTIME
  }
  try {
    const address = await redis?.listen()
    if (address !== undefined) log.info(`Redis protocol on ${hostAndPort(address)}`)
  } catch (error) {
    log.error(
      describeListenError(error, config.redis.port as ListenAddress, '--redis-port or SEQSVR_REDIS_PORT'),
    )
    return EXIT_RUNTIME
  }
  try {
    const address = await udp?.listen()
    if (address !== undefined) log.info(`UDP on ${hostAndPort(address)}, rules: ${rules.names.join(', ')}`)
  } catch (error) {
    log.error(describeListenError(error, config.udp.port, '--udp-port or SEQSVR_UDP_PORT'))
    return EXIT_RUNTIME
  }
  if (!(await prepare(store, log))) return EXIT_RUNTIME
  core.generator.warm()
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
