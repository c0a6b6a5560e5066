import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadDriver } from '../src/store/sqlite/driver.ts'
import { ROOT } from '../test/support/root.ts'
import type { Command, Contestant, StoreCounts } from './contestant.ts'

const run = promisify(execFile)

type Env = Readonly<Record<string, string>>

export const SEQSVR = join(ROOT, 'dist/main.js')

/** Starts seqsvr with HTTP on `port`, on a new embedded store unless `env` names another one. */
export function seqsvrCommand(port: number, directory: string, env: Env = {}): Command {
  return {
    argv: [process.execPath, SEQSVR],
    env: {
      SEQSVR_PORT: `127.0.0.1:${port}`,
      SEQSVR_SQLITE_FILE: sqliteFile(directory),
      ...env,
    },
  }
}

/**
 * An instance with `count` named sequences, `t0`, `t1`, …, of which it holds the first `held` in memory. Its store is a
 * file in memory: each sequence takes a lease before anything is measured, and no sync of a disk is to be waited for.
 */
export function sequenceHolder(name: string, count: number, held: number): Contestant {
  return {
    name,
    directory: '/dev/shm',
    async command(port, directory) {
      await makeSequences(directory, count)
      return seqsvrCommand(port, directory, { SEQSVR_WAIT_MS_MAX: '60000' })
    },
    probe: (port) => loadSequences(port, held),
    storeCounts,
  }
}

/** Puts named sequences into a new embedded store, in one transaction. */
async function makeSequences(directory: string, count: number): Promise<void> {
  const file = sqliteFile(directory)
  await run(process.execPath, [SEQSVR, 'init'], {
    cwd: directory,
    env: { ...process.env, SEQSVR_SQLITE_FILE: file },
  })
  const database = new (await loadDriver())(file)
  database.exec('BEGIN')
  const insert = database.prepare('INSERT INTO segments (app_tag, max_id, step) VALUES (?, 1, 1000)')
  for (let i = 0; i < count; i++) insert.run(`t${i}`)
  database.exec('COMMIT')
  database.close()
}

/** Takes an id of each of these sequences, so that they are in memory. False where one has none. */
export async function loadSequences(port: number, count: number): Promise<boolean> {
  const tags = Array.from({ length: count }, (_, i) => `t${i}`).values()
  const take = async () => {
    let ok = true
    for (const tag of tags) {
      const response = await fetch(`http://127.0.0.1:${port}/alloc?app_tag=${tag}`)
      await response.arrayBuffer()
      ok &&= response.ok
    }
    return ok
  }
  return (await Promise.all(Array.from({ length: 64 }, take))).every((ok) => ok)
}

/** Leases, and the transactions that they came in, as `/metrics` counts them. */
export async function storeCounts(port: number): Promise<StoreCounts> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const sum = (metric: string) =>
    [...text.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\d+)`, 'gm'))].reduce(
      (total, [, count]) => total + Number(count),
      0,
    )
  return {
    leases: sum('seqsvr_leases_total'),
    transactions: sum('seqsvr_lease_duration_seconds_count'),
  }
}

function sqliteFile(directory: string): string {
  return join(directory, 'seqsvr.sqlite')
}
