import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { createDatabase, MysqlServer, query } from '../test/support/mysql-server.ts'
import { Nginx } from '../test/support/nginx.ts'
import { ROOT } from '../test/support/root.ts'
import { SeqsvrProcess } from '../test/support/seqsvr-process.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { CommitCutter, type CutPoint } from './commit-cutter.ts'
import { FakedTime } from './faked-time.ts'
import { SmallDisk } from './small-disk.ts'

export type StoreKind = 'mysql' | 'sqlite'

/** One process, and what stands between it and its store. */
export interface Instance {
  readonly name: string
  readonly store: StoreKind
  readonly process: SeqsvrProcess
  readonly redisPort: number
  readonly udpPort: number
  /** Its way to the database, where it has one. */
  readonly network: { readonly proxy: TcpProxy; readonly cutter: CommitCutter } | undefined
  /** Its system time, where that can be changed. */
  readonly time: FakedTime | undefined
}

/** Named sequences of each store. */
export const TAGS = ['orders', 'invoices', 'users']
export const RULE = 'order'
export const APPS = ['shop', 'desk']

/** A path through which ids are asked for, as clients and reports name it. */
export type Route = `${string}/${'new' | 'alloc' | 'redis' | 'rule' | 'udp'}`

/** Leases are small, so that the store is asked all the time and its outages are felt at once. */
const LEASES = { step: 10, lease: { target_ms: 100, ids_max: 50 } }
const BATCH_SAVE = 20
const ADMIN_TOKEN = 'chaos-chaos-chaos'

/** Real processes: three instances on MariaDB behind nginx, each with a proxy on its way, and two on one SQLite file. */
export class Fleet {
  readonly #folder: string
  readonly #closers: (() => unknown)[] = []
  readonly instances: Instance[] = []
  /** What cannot be done to this fleet on this machine, and why. */
  readonly missing = new Map<'clock' | 'disk', string>()
  database!: MysqlServer
  nginx!: Nginx
  disk: SmallDisk | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts all of it and makes the named sequences. Resolves when every instance is ready. */
  static async start(): Promise<Fleet> {
    const fleet = new Fleet(await mkdtemp(join(tmpdir(), 'seqsvr-chaos-')))
    try {
      await fleet.#startAll()
      return fleet
    } catch (error) {
      await fleet.stop()
      throw error
    }
  }

  on(store: StoreKind): Instance[] {
    return this.instances.filter((instance) => instance.store === store)
  }

  /** COMMITs on their way to the database: those that passed, and those that were cut. */
  commits(): Record<CutPoint | 'passed', number> {
    const sums = { passed: 0, before: 0, after: 0 }
    for (const { network } of this.instances)
      for (const what of ['passed', 'before', 'after'] as const)
        sums[what] += network?.cutter.counts[what] ?? 0
    return sums
  }

  /** COMMITs that the database counted since it was started. */
  async commitsOfServer(): Promise<number> {
    const [row] = await query(this.database.login, "SHOW GLOBAL STATUS LIKE 'Com_commit'")
    return Number(row?.Value)
  }

  /** Ends every process and removes every file, in the reverse order of their making. */
  async stop(): Promise<void> {
    for (const close of this.#closers.reverse()) await close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #startAll(): Promise<void> {
    const database = await MysqlServer.start()
    this.database = database
    this.#closers.push(() => database.stop())
    const { host, port, ...login } = await createDatabase(database.login)
    for (const number of [1, 2, 3]) {
      const cutter = new CommitCutter()
      const proxy = await TcpProxy.start({ host, port }, () => cutter.inspector())
      this.#closers.push(() => proxy.close())
      const mysql = { ...login, host: '127.0.0.1', port: proxy.port }
      await this.#startInstance('mysql', number, { mysql }, number === 3, { proxy, cutter })
    }
    const [first, second, third] = this.instances.map(({ process }) => process.port)
    const nginx = await Nginx.start([first as number, second as number, third as number])
    this.nginx = nginx
    this.#closers.push(() => nginx.stop())

    const sqlite = { file: join(await this.#mountDisk(), 'seqsvr.sqlite') }
    for (const number of [1, 2]) await this.#startInstance('sqlite', number, { sqlite }, number === 2)
    for (const store of ['mysql', 'sqlite'] as const) await createSequences(this.on(store)[0] as Instance)
  }

  /** The folder of the SQLite file. */
  async #mountDisk(): Promise<string> {
    const folder = join(this.#folder, 'disk')
    try {
      const disk = await SmallDisk.mount(folder)
      this.disk = disk
      this.#closers.push(() => disk.unmount())
    } catch (error) {
      this.missing.set('disk', `no small disk can be mounted (${(error as Error).message.trim()})`)
    }
    return folder
  }

  async #startInstance(
    store: StoreKind,
    number: number,
    settings: object,
    fakesTime: boolean,
    network?: Instance['network'],
  ): Promise<void> {
    const name = `${store}-${number}`
    const [redisPort, udpPort] = [await freePort(), await freePort()]
    const lua_file = join(ROOT, 'chaos/order.lua')
    const config = {
      ...LEASES,
      ...settings,
      redis: { port: `127.0.0.1:${redisPort}` },
      udp: {
        port: `127.0.0.1:${udpPort}`,
        time_zone: 'UTC',
        rules: [{ name: RULE, lua_file, batch_save: BATCH_SAVE }],
      },
      admin: { token: ADMIN_TOKEN },
    }
    const file = join(this.#folder, `${name}.yml`)
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config))
    const time = fakesTime ? await this.#fakeTime(name) : undefined
    const process = await SeqsvrProcess.start(time?.env ?? {}, ['--config', file])
    this.#closers.push(() => process.kill())
    this.instances.push({ name, store, process, redisPort, udpPort, network, time })
  }

  async #fakeTime(name: string): Promise<FakedTime | undefined> {
    try {
      return await FakedTime.create(join(this.#folder, `${name}.time`))
    } catch (error) {
      this.missing.set('clock', (error as Error).message)
      return undefined
    }
  }
}

/** All routes that end at one instance. */
export function routesOf({ name }: Instance): Route[] {
  return (['new', 'alloc', 'redis', 'rule', 'udp'] as const).map((path): Route => `${name}/${path}`)
}

async function createSequences({ process }: Instance): Promise<void> {
  for (const name of TAGS) {
    const response = await fetch(`${process.url}/admin/sequences`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name, step: LEASES.step }),
    })
    const answer = await response.text()
    if (response.status !== 201) throw new Error(`no sequence ${name}: ${answer}`)
  }
}
