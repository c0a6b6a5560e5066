import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { SequenceError } from '../core/errors.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore } from './open-store.ts'

/** Says whether an instance with this configuration could serve; changes nothing. */
export async function check(config: Config): Promise<number> {
  const store = openStore(config, uuidv7())
  console.log('ok: the configuration is valid')
  try {
    const state = await store.inspect()
    console.log(
      state === 'ready'
        ? `ok: ${store.description} answers, has its tables and agrees on step ${config.step}`
        : `ok: ${store.description} is empty; \`seqsvr serve\` or \`seqsvr init\` makes what is missing and agrees on step ${config.step}`,
    )
    return EXIT_OK
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.log(`failed: ${error.code}: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
}
