import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { SequenceError } from '../core/errors.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore } from './open-store.ts'

/** Makes the tables and agrees on the step, whatever `schema` says; for a user who may create tables. */
export async function init(config: Config): Promise<number> {
  const store = openStore({ ...config, schema: 'auto' }, uuidv7())
  try {
    await store.prepare()
    console.log(`${store.description} is ready, with step ${config.step}`)
    return EXIT_OK
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.error(`seqsvr: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
}
