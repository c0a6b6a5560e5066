import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Lease } from '../../src/core/lease.ts'
import { Sequence } from '../../src/core/sequence.ts'
import type { GeneratorAgreement, Store } from '../../src/core/store.ts'
import { type DriverDatabase, loadDriver } from '../../src/store/sqlite/driver.ts'
import { SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { describeStoreContract, errorOf, expectRising } from './contract.ts'

const PROCESS = fileURLToPath(new URL('./lease-forever.js', import.meta.url))

// The same driver as the store's: two copies of SQLite in one process would not see each other's locks.
const Driver = await loadDriver()

let folder: string
let closing: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seqsvr-sqlite-'))
  closing = []
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

const path = (name: string) => join(folder, name)

function open(options: Partial<SqliteStoreOptions> = {}): Store {
  const store = new SqliteStore({
    file: path('seqsvr.sqlite'),
    schema: 'auto',
    agreement: { step: 100, first: 0 },
    uuid: `instance ${closing.length}`,
    provenance: true,
    timeoutMs: 20_000,
    ...options,
  })
  closing.push(() => store.close())
  return store
}

function openDatabase(file = path('seqsvr.sqlite')): DriverDatabase {
  const database = new Driver(file)
  closing.push(() => database.close())
  return database
}

/** The threads that stores start from now on. */
function watchWorkers(): Worker[] {
  const workers: Worker[] = []
  const watch = (worker: Worker) => void workers.push(worker)
  process.on('worker', watch)
  closing.push(() => process.off('worker', watch))
  return workers
}

describeStoreContract('SQLite', async (agreement) => {
  const contractFolder = mkdtempSync(join(tmpdir(), 'seqsvr-contract-'))
  const file = join(contractFolder, 'seqsvr.sqlite')
  const stores: Store[] = []
  const instance = (agreed: GeneratorAgreement) => {
    const uuid = `instance ${stores.length}`
    const store = new SqliteStore({
      file,
      schema: 'auto',
      agreement: agreed,
      uuid,
      provenance: true,
      timeoutMs: 20_000,
    })
    stores.push(store)
    return store
  }
  return {
    store: instance(agreement),
    another: async (other = agreement) => instance(other),
    async setGreatestLeaseId(n) {
      const database = new Driver(file)
      database.exec(`INSERT INTO generator_table (id, uuid) VALUES (${n}, 'operator ${n}')`)
      database.close()
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      rmSync(contractFolder, { recursive: true })
    },
  }
})

describe('the file', () => {
  it('is made, with its folder', async () => {
    const file = path('a/b/c.sqlite')
    const store = open({ file })
    expect(store.description).toBe(`SQLite in ${file}`)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    expect(existsSync(file)).toBe(true)
  })

  it('has the tables that are documented, which never use an id again', async () => {
    await open().prepare()
    const tables = openDatabase().prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name",
    )
    expect(tables.all().map((row) => ({ ...(row as object) }))).toEqual([
      {
        name: 'counter',
        sql: expect.stringContaining('PRIMARY KEY (node_offset, rule_name, app_name)'),
      },
      {
        name: 'generator_table',
        sql: 'CREATE TABLE generator_table (id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE)',
      },
      {
        name: 'segments',
        sql: expect.stringContaining(
          'app_tag TEXT PRIMARY KEY NOT NULL, max_id INTEGER NOT NULL, step INTEGER NOT NULL',
        ),
      },
      {
        name: 'seqsvr_leases',
        sql: expect.stringContaining('PRIMARY KEY (sequence, start_id)'),
      },
      {
        name: 'seqsvr_meta',
        sql: 'CREATE TABLE seqsvr_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)',
      },
      { name: 'sqlite_sequence', sql: 'CREATE TABLE sqlite_sequence(name,seq)' },
    ])
  })

  it('I2 is left with a truncated journal, the mark of the durable mode', async () => {
    await open().generator.lease(1, 0n)
    expect(readFileSync(path('seqsvr.sqlite-journal'))).toHaveLength(0)
    expect(existsSync(path('seqsvr.sqlite-wal'))).toBe(false)
  })

  it('I2 is taken out of WAL mode', async () => {
    await open().generator.lease(1, 0n)
    const other = new Driver(path('seqsvr.sqlite'))
    other.exec('PRAGMA journal_mode = WAL')
    other.close()
    expect(await open().generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
    expect(openDatabase().prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'delete' })
  })

  it('keeps one row for each instance', async () => {
    const store = open({ uuid: 'one' })
    await store.generator.lease(300, 0n)
    await open({ uuid: 'two' }).generator.lease(1, 0n)
    await store.generator.lease(1, 0n)
    const rows = openDatabase().prepare('SELECT id, uuid FROM generator_table ORDER BY id').all()
    expect(rows).toMatchObject([
      { id: 4, uuid: 'two' },
      { id: 5, uuid: 'one' },
    ])
  })

  it('I1 grants up to 1,024 leases in one transaction, for a row like any other', async () => {
    const store = open({ uuid: 'one' })
    const leases = await store.generator.lease(10_000_000, 0n)
    expect(leases).toHaveLength(1_024)
    expectRising(leases)
    expect([leases[0], leases.at(-1)]).toEqual([
      { start: 100n, end: 200n },
      { start: 102_400n, end: 102_500n },
    ])
    const rows = openDatabase().prepare('SELECT id, uuid FROM generator_table').all()
    expect(rows).toMatchObject([{ id: 1_024, uuid: 'one' }])
    expect(await open({ uuid: 'two' }).generator.lease(1, 0n)).toEqual([{ start: 102_500n, end: 102_600n }])
  })

  it('I1 goes on past the greatest lease although its row was deleted', async () => {
    const store = open()
    await store.generator.lease(300, 0n)
    openDatabase().exec('DELETE FROM generator_table')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 400n, end: 500n }])
  })

  it('needs its tables when the schema is kept by hand', async () => {
    const store = open({ schema: 'manual' })
    expect(await errorOf(store.prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('does not have the tables'),
    })
    await open().prepare()
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})

describe('a file that is exchanged under a running instance', () => {
  it('I3 is noticed when it was deleted, and refused for good', async () => {
    const file = path('seqsvr.sqlite')
    const store = open()
    const sequence = new Sequence({
      source: store.generator,
      clock: systemClock,
      random: () => 0,
      limits: { waitMsMax: 20_000, waitersMax: 10, leaseTargetMs: 1, leaseIdsMax: 1 },
      observe: () => {},
    })
    closing.push(() => sequence.close())
    expect(await sequence.takeMany(150)).toHaveLength(150)

    rmSync(file)
    const error = await errorOf(Promise.resolve(sequence.takeMany(10_000)))
    expect(error.code).toBe('REGRESSED')
    expect(Number(error.floor)).toBeGreaterThanOrEqual(300)
    expect(await errorOf(open().generator.lease(1, 0n))).toMatchObject({
      code: 'REGRESSED',
      floor: error.floor,
    })
  })

  it('I3 is read when it was replaced by an older copy', async () => {
    const file = path('seqsvr.sqlite')
    const store = open()
    await store.generator.lease(300, 0n)
    cpSync(file, path('backup'))
    await store.generator.lease(300, 0n)
    rmSync(file)
    cpSync(path('backup'), file)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 400n, end: 500n }])
  })

  it('is made anew with its folder', async () => {
    const store = open({ file: path('data/seqsvr.sqlite') })
    await store.generator.lease(1, 0n)
    rmSync(path('data'), { recursive: true })
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})

describe('a file that cannot be used', () => {
  it('is not a database: STORE_MISCONFIGURED, and well once it is gone', async () => {
    const file = path('seqsvr.sqlite')
    writeFileSync(file, 'Dear diary, '.repeat(500))
    const store = open()
    expect(await errorOf(store.prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: `${file} is not a SQLite database: choose another sqlite.file, or remove this one if nothing needs it (file is not a database)`,
    })
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(500))
    rmSync(file)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })

  it('may only be read: STORE_MISCONFIGURED', async () => {
    await open().prepare()
    // Byte 18 of the header is the version of the format for writing; SQLite only reads what it does not know.
    const descriptor = openSync(path('seqsvr.sqlite'), 'r+')
    writeSync(descriptor, Uint8Array.of(3), 0, 1, 18)
    closeSync(descriptor)
    expect(await errorOf(open().generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('cannot be opened for writing'),
    })
  })

  it.each([
    ['lies below a file', 'occupied/seqsvr.sqlite'],
    ['is a folder', 'data'],
    ['has an impossible name', `${'n'.repeat(300)}/seqsvr.sqlite`],
  ])('%s: STORE_MISCONFIGURED', async (_, name) => {
    writeFileSync(path('occupied'), '')
    mkdirSync(path('data'))
    expect(await errorOf(open({ file: path(name) }).prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('cannot be opened for writing'),
    })
  })

  it('is locked for longer than a request may last: STORE_UNAVAILABLE, and well afterwards', async () => {
    const store = open({ timeoutMs: 600 })
    await store.prepare()
    const other = openDatabase()
    other.exec('BEGIN EXCLUSIVE')
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('is locked'),
    })
    other.exec('ROLLBACK')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})

describe('the thread', () => {
  it('is started again after it died, with STORE_UNAVAILABLE for the request it had', async () => {
    const workers = watchWorkers()
    const store = open()
    await store.prepare()
    const lost = errorOf(store.generator.lease(1, 0n))
    await workers[0]?.terminate()
    expect(await lost).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('trying again'),
    })
    const [lease] = await store.generator.lease(1, 0n)
    expect(lease?.start).toBeGreaterThanOrEqual(100n)
    expect(workers).toHaveLength(2)
  })

  it('I2 throws away what comes too late, and lets nothing queue behind it', async () => {
    const workers = watchWorkers()
    const store = open({ timeoutMs: 1_000 })
    await store.prepare()

    // As when its disk hangs: what the store asks of the thread is held up.
    const worker = workers[0] as Worker
    const send = worker.postMessage.bind(worker)
    const held: unknown[] = []
    worker.postMessage = (message) => void held.push(message)
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('did not answer within 1000 ms'),
    })
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(held).toHaveLength(1)

    worker.postMessage = send
    const answered = once(worker, 'message')
    send(held[0])
    await answered
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })

  it('ends with the store', async () => {
    const workers = watchWorkers()
    const store = open()
    await store.prepare()
    const lost = errorOf(store.generator.lease(1, 0n))
    await store.close()
    expect(await lost).toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
  })
})

describe('processes', () => {
  /** A process that leases, its grants so far, and how to wait until it has printed `count` of them. */
  function start(uuid: string, times: number) {
    const child: ChildProcess = spawn(
      process.execPath,
      [PROCESS, path('seqsvr.sqlite'), uuid, String(times)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    closing.push(() => child.kill('SIGKILL'))
    const leases: Lease[] = []
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    const granted = (count: number) =>
      new Promise<void>((resolve) => {
        lines.on('line', () => leases.length >= count && resolve())
      })
    lines.on('line', (line) => {
      const [from, to] = line.split(' ')
      leases.push({ start: BigInt(from as string), end: BigInt(to as string) })
    })
    const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(
      ([[code]]) => code as number | null,
    )
    return { child, leases, granted, ended, stderr: () => stderr }
  }

  const byStart = (a: Lease, b: Lease) => (a.start < b.start ? -1 : 1)

  it('I1 lease from one file at once without overlap, and write nothing to the terminal', async () => {
    const processes = ['one', 'two', 'three'].map((uuid) => start(uuid, 60))
    for (const { ended, stderr } of processes)
      expect({ code: await ended, stderr: stderr() }).toEqual({ code: 0, stderr: '' })
    for (const { leases } of processes) expectRising(leases)
    const all = processes.flatMap(({ leases }) => leases).sort(byStart)
    expectRising(all)
    expect(all).toHaveLength(3 * 20 * (1 + 2 + 3))
    expect(all.at(-1)?.end).toBe(3610n)
  })

  it('I1 never grant again what a process had that was killed in the middle of leasing', async () => {
    const all: Lease[] = []
    for (let round = 0; round < 6; round++) {
      const { child, leases, granted, ended } = start(`round ${round}`, 1_000_000)
      await granted(5 + round * 3)
      child.kill('SIGKILL')
      await ended
      all.push(...leases)
    }
    const rest = await open({ agreement: { step: 10, first: 0 } }).generator.lease(1, 0n)
    expectRising([...all, ...rest])
  })
})
