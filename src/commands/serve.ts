import { availableParallelism } from 'node:os'
import type { Config } from '../config/schema.ts'
import { EXIT_OK } from './exit-codes.ts'
import { Instance } from './instance.ts'
import { exitAtOnce, stopSignal } from './stop-signal.ts'
import { Primary } from './workers/primary.ts'

/**
 * Runs an instance, or a tree of them, until SIGTERM or SIGINT has drained it. Resolves to the exit code. `reload` reads
 * the config again, for SIGHUP.
 */
export function serve(config: Config, reload: () => Config): Promise<number> {
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers
  return workers === 1 ? serveAlone(config, reload) : new Primary(workers, config).run(reload)
}

async function serveAlone(config: Config, reload: () => Config): Promise<number> {
  const stop = stopSignal(exitAtOnce)
  const instance = new Instance(config)
  const { log } = instance
  process.on('SIGHUP', async () => {
    try {
      log.info(`reloaded: ${await instance.reload(reload())}`)
    } catch (error) {
      log.error(`not reloaded, going on as before: ${(error as Error).message}`)
    }
  })
  const exitCode = await instance.start()
  if (exitCode !== undefined) return exitCode
  for (const line of instance.announcement) log.info(line, { step: config.step })
  await instance.drain(await stop)
  return EXIT_OK
}
