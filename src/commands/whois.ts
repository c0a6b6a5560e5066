import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { Administration } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import { GENERATOR_NAME, type LeaseRecord } from '../core/store.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore, requireStore } from './open-store.ts'

/**
 * Says which instance an id was leased to, and when. `name` is that of a named sequence; without one it is the
 * generator's. Resolves to exit code 1 where nothing is known.
 */
export async function whois(config: Config, id: bigint, name: string | undefined): Promise<number> {
  const store = openStore(config, uuidv7())
  try {
    requireStore(config)
    const record = await new Administration(store).whois(id, name)
    if (record !== undefined) console.log(describeLease(id, record))
    else
      console.log(
        `nothing is known of ${id} of ${describeSequence(name ?? GENERATOR_NAME)}: it was never leased, or longer than ` +
          `${config.provenance.days} days ago, or by a program that keeps no record`,
      )
    return record === undefined ? EXIT_RUNTIME : EXIT_OK
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.error(`seqsvr: ${error.code}: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
}

function describeLease(id: bigint, { sequence, start, end, instance, timeMs }: LeaseRecord): string {
  return (
    `${id} of ${describeSequence(sequence)} was leased to instance ${instance} at ${new Date(timeMs).toISOString()}, ` +
    `with the ids from ${start} to ${end - 1n}`
  )
}

/** A sequence, for people. */
export function describeSequence(name: string): string {
  return name === GENERATOR_NAME ? 'the generator' : JSON.stringify(name)
}
