import type { TestProject } from 'vitest/node'
import { ensureInstalled } from './debian.ts'
import { type MysqlLogin, MysqlServer } from './mysql-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** An administrator's login to the MySQL server that all test files share. */
    mysql: MysqlLogin
  }
}

/** What tests drive for real besides MySQL, and the Debian packages that have it. */
const COMMANDS = [
  ['nginx', 'nginx-light'],
  ['redis-cli', 'redis-tools'],
  ['faketime', 'faketime'],
  ['chromium', 'chromium'],
] as const

/** Gives the tests a real MySQL server: the one of SEQSVR_TEST_MYSQL_URL (mysql://user:password@host:port), or a private one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // One after the other, and before tests run side by side: Debian's package manager runs once at a time.
  for (const [command, debianPackage] of COMMANDS) await ensureInstalled(command, debianPackage)
  const url = process.env.SEQSVR_TEST_MYSQL_URL
  if (url !== undefined) {
    const { hostname, port, username, password } = new URL(url)
    project.provide('mysql', {
      host: hostname,
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    })
    return async () => {}
  }
  const server = await MysqlServer.start()
  project.provide('mysql', server.login)
  return () => server.stop()
}
