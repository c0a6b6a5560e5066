/** Instances that lease as fast as they can: `node lease-loop.js JSON`, of LeaseLoopOptions. Prints LoadFigures. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestDatabase } from '../test/support/mysql-server.ts'
import { ROOT } from '../test/support/root.ts'
import type { LoadFigures } from './load.ts'

export interface LeaseLoopOptions {
  readonly database: TestDatabase
  readonly instances: number
  /** Leases asked for in one transaction. */
  readonly leases: number
  readonly step: number
  readonly seconds: number
}

/** The one that was built: beside it is the schema. */
const { MysqlStore } = (await import(
  join(ROOT, 'dist/store/mysql/store.js')
)) as typeof import('../src/store/mysql/store.ts')

const { database, instances, leases, step, seconds } = JSON.parse(
  process.argv[2] as string,
) as LeaseLoopOptions

const timesUs: number[] = []
let errors = 0
const stores = Array.from(
  { length: instances },
  () =>
    new MysqlStore({
      ...database,
      tls: false,
      connectTimeoutMs: 2_000,
      timeoutMs: 10_000,
      connectionsMax: 1,
      schema: 'auto',
      agreement: { step, first: 0 },
      uuid: randomUUID(),
      provenance: true,
      random: Math.random,
    }),
)
// The first one makes the tables.
for (const store of stores) await store.generator.lease(1, 0n)

const startMs = performance.now()
const endMs = startMs + seconds * 1000
await Promise.all(stores.map(leaseOnAndOn))
const elapsedMs = performance.now() - startMs
await Promise.all(stores.map((store) => store.close()))

timesUs.sort((a, b) => a - b)
const at = (share: number): number => timesUs[Math.floor(timesUs.length * share)] ?? Number.NaN
const figures: LoadFigures = {
  requests: timesUs.length,
  seconds: elapsedMs / 1000,
  p50Us: at(0.5),
  p99Us: at(0.99),
  errors,
}
console.log(JSON.stringify(figures))

async function leaseOnAndOn(store: InstanceType<typeof MysqlStore>): Promise<void> {
  for (let beforeMs = performance.now(), seenEnd = 0n; beforeMs < endMs; beforeMs = performance.now()) {
    try {
      const granted = await store.generator.lease(leases * step, seenEnd)
      seenEnd = granted.at(-1)?.end ?? seenEnd
      timesUs.push((performance.now() - beforeMs) * 1000)
    } catch {
      errors++
    }
  }
}
