import type { Logger } from '@logtape/logtape'
import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { Administration, type Held } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { HttpFront } from '../fronts/http/server.ts'
import { openLog } from '../log.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { describeListenError, urlOf } from './listening.ts'
import { openCore } from './open-core.ts'
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

  let draining = false
  const readiness = () => (draining ? 'draining' : unreadiness(core))
  const http = new HttpFront({
    ...config.port,
    ...core,
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

  const stop = stopSignal()
  process.on('SIGHUP', () => reloadLogLevel(reload, log))
  try {
    const url = urlOf(await http.listen())
    if (!(await prepare(store, log))) return EXIT_RUNTIME
    core.generator.warm()
    log.info(`listening on ${url}, ${store.description}; try: curl ${url}/new`, { step: config.step })
  } catch (error) {
    log.error(describeListenError(error, config.port))
    return EXIT_RUNTIME
  }

  log.info(`${await stop}: draining for at most ${config.drain_ms} ms`)
  draining = true
  await http.drain(config.drain_ms)
  core.generator.close()
  core.sequences.close()
  await store.close()
  log.info('stopped')
  return EXIT_OK
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

function reloadLogLevel(reload: () => Config, log: Logger): void {
  try {
    const { level } = reload().log
    openLog(level)
    log.info(`reloaded: log level ${level}`)
  } catch (error) {
    log.error(`not reloaded, going on as before: ${(error as Error).message}`)
  }
}
