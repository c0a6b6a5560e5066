import { randomUUID } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { Sequence, type SequenceEvent } from '../../src/core/sequence.ts'
import type { GeneratorAgreement } from '../../src/core/store.ts'
import { MysqlStore, type MysqlStoreOptions } from '../../src/store/mysql/store.ts'
import { systemClock } from '../../src/system-clock.ts'
import {
  createDatabase,
  dropDatabase,
  type MysqlLogin,
  query,
  type TestDatabase,
} from '../support/mysql-server.ts'
import type { StoreFixture } from './contract.ts'

export interface MysqlFixture extends StoreFixture {
  readonly database: TestDatabase
  readonly store: MysqlStore
  another(agreement?: GeneratorAgreement): Promise<MysqlStore>
  /** An instance with options of its own, closed with the fixture. */
  open(options?: Partial<MysqlStoreOptions>): MysqlStore
  /** Runs one statement as the administrator. */
  sql(statement: string, values?: readonly (string | number | bigint)[]): Promise<Record<string, unknown>[]>
}

/** The generator of a store as an instance serves it. A test that opens one closes it. */
export function sequenceOn(store: MysqlStore, observe: (event: SequenceEvent) => void = () => {}): Sequence {
  return new Sequence({
    source: store.generator,
    clock: systemClock,
    random: Math.random,
    limits: { waitMsMax: 5_000, waitersMax: 100, leaseTargetMs: 100, leaseIdsMax: 100_000 },
    observe,
  })
}

/** A database of its own on the shared server, or on `login`, with one instance. */
export async function mysqlFixture({
  login = inject('mysql'),
  ...options
}: Partial<MysqlStoreOptions> & { login?: MysqlLogin } = {}): Promise<MysqlFixture> {
  const database = await createDatabase(login)
  const stores: MysqlStore[] = []
  const open = (more: Partial<MysqlStoreOptions> = {}) => {
    const store = new MysqlStore({
      ...database,
      tls: false,
      connectTimeoutMs: 2_000,
      timeoutMs: 10_000,
      connectionsMax: 4,
      schema: 'auto',
      agreement: { step: 100, first: 0 },
      uuid: randomUUID(),
      provenance: true,
      random: Math.random,
      ...options,
      ...more,
    })
    stores.push(store)
    return store
  }
  return {
    database,
    store: open(),
    open,
    another: async (agreement) => open(agreement && { agreement }),
    sql: (statement, values) => query(database, statement, values),
    async setGreatestLeaseId(n) {
      await query(database, 'INSERT INTO generator_table (id, uuid) VALUES (?, UUID())', [n])
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      await dropDatabase(database)
    },
  }
}

/** As `mysqlFixture`, closed behind the test that asks for it. */
export async function fixtureWith(options: Parameters<typeof mysqlFixture>[0] = {}): Promise<MysqlFixture> {
  const fixture = await mysqlFixture(options)
  onTestFinished(() => fixture.close())
  return fixture
}
