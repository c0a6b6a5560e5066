import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { freePort } from './free-port.ts'
import { findProgram, type Program } from './mysql-program.ts'

const START_MS_MAX = 60_000

/**
 * Runs `"$@"` and kills it when our end of the pipe on its standard input closes, so that no server survives the
 * tests, even when they are killed. Then it removes the folder `$0`, unless a line was written first.
 * It has a process group of its own: an interrupt from the keyboard would end it before it could do that.
 */
const KEEPER = `
exec 3<&0
"$@" 3<&- & pid=$!
echo $pid
{ read -r keep <&3 || gone=1; trap '' TERM; kill -9 $pid; [ -z "$gone" ] || rm -rf "$0"; } >/dev/null 2>&1 &
wait $pid
kill $!
`

export interface MysqlLogin {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** A database of one test, and the login of its administrator. */
export interface TestDatabase extends MysqlLogin {
  readonly database: string
}

/** A private MariaDB or MySQL server on loopback, with durable settings, in a temporary folder. */
export class MysqlServer {
  readonly login: MysqlLogin
  readonly #folder: string
  readonly #program: Program
  readonly #settings: readonly string[]
  #keeper: ChildProcess | undefined
  #pid = 0

  private constructor(folder: string, program: Program, port: number, settings: readonly string[]) {
    this.#folder = folder
    this.#program = program
    this.#settings = [...SETTINGS, ...settings]
    this.login = { host: '127.0.0.1', port, user: 'root', password: '' }
  }

  /**
   * Starts one, installing it first where none is; `settings` are options of the server besides the usual ones. Rejects
   * with what to install when that is impossible.
   */
  static async start(settings: readonly string[] = []): Promise<MysqlServer> {
    const program = await findProgram()
    const folder = await mkdtemp(join(tmpdir(), 'seqsvr-mysql-'))
    const server = new MysqlServer(folder, program, await freePort(), settings)
    try {
      await mkdir(server.#data)
      await program.initialize(server.#data)
      await server.restart()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  /** Sends a signal to the server. Resolves after SIGKILL only when it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    await this.#program.signal(this.#pid, this.#name, signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await exit(this.#keeper)
  }

  /** Starts the server again on the same port and data, after ending it if it runs. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.#end('keep the data\n')
    const [file, args] = this.#program.command(this.#data, this.login.port, this.#name, this.#settings)
    const keeper = spawn('/bin/sh', ['-c', KEEPER, this.#folder, file, ...args], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#keeper = keeper
    this.#pid = Number(await firstLine(keeper))
    const deadline = Date.now() + START_MS_MAX
    for (;;) {
      const refusal = await query(this.login, 'SELECT 1').then(() => undefined, String)
      if (refusal === undefined) return
      if (keeper.exitCode !== null || Date.now() > deadline)
        throw new Error(`the test server did not start: ${refusal}\n${await this.#log()}`)
      await delay(20)
    }
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.#end('')
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  get #name(): string {
    return `seqsvr-test-${this.login.port}`
  }

  async #end(lastWords: string): Promise<void> {
    const keeper = this.#keeper
    if (keeper === undefined) return
    this.#keeper = undefined
    // The keeper may be gone, with the pipe.
    keeper.stdin?.on('error', () => {}).end(lastWords)
    await exit(keeper)
    await this.#program.forget(this.#name)
  }

  async #log(): Promise<string> {
    const log = await readFile(join(this.#data, 'error.log'), 'utf8').catch(() => '')
    return log.split('\n').slice(-20).join('\n')
  }
}

/** Makes an empty database on a server. */
export async function createDatabase(login: MysqlLogin): Promise<TestDatabase> {
  const database = `seqsvr_${randomUUID().replaceAll('-', '')}`
  await query(login, `CREATE DATABASE ${database}`)
  return { ...login, database }
}

export async function dropDatabase(database: TestDatabase): Promise<void> {
  await query(database, `DROP DATABASE IF EXISTS ${database.database}`)
}

/** Makes a user with `rights` (`SELECT, INSERT`) on one database, and returns his login to it. */
export async function createUser(database: TestDatabase, rights: string): Promise<TestDatabase> {
  const user = `u${randomUUID().slice(0, 8)}`
  const password = randomUUID()
  await query(database, `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'`)
  await query(database, `GRANT ${rights} ON ${database.database}.* TO '${user}'@'%'`)
  return { ...database, user, password }
}

/** Runs one statement on a connection of its own. BIGINT values come as strings. */
export async function query(
  { host, port, user, password, database }: MysqlLogin & { readonly database?: string },
  sql: string,
  values: readonly (string | number | bigint | null)[] = [],
): Promise<Record<string, unknown>[]> {
  const connection = await mysql.createConnection({
    host,
    port,
    user,
    password,
    ...(database !== undefined && { database }),
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: 5_000,
  })
  try {
    const [rows] = await connection.query(sql, [...values])
    return rows as Record<string, unknown>[]
  } finally {
    connection.destroy()
  }
}

/** Durable (I1), deaf to the network outside, and small. */
const SETTINGS = [
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-buffer-pool-size=32M',
  '--max-connections=300',
  '--skip-name-resolve',
]

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('error', reject)
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}

function exit(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
}
