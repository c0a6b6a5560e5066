import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, unreadable } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { SequenceError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { MysqlStore } from '../store/mysql/store.ts'
import { SqliteStore } from '../store/sqlite/store.ts'

/** A transaction on the embedded store: fsync of a busy disk takes a second at worst. */
const SQLITE_TIMEOUT_MS = 5_000

/** The store that the config names. Nothing is connected yet. `uuid` names this instance in it. */
export function openStore(config: Config, uuid: string): Store {
  const agreement = { step: config.step, first: config.first }
  const { schema, mysql } = config
  const provenance = config.provenance.days > 0
  if (mysql === undefined)
    return new SqliteStore({
      file: resolve(config.sqlite.file),
      schema,
      agreement,
      uuid,
      provenance,
      timeoutMs: SQLITE_TIMEOUT_MS,
    })
  return new MysqlStore({
    host: mysql.host,
    port: mysql.port,
    socketPath: mysql.socket_path,
    user: mysql.user,
    password: mysql.password,
    database: mysql.database,
    tls: mysql.ca_file === undefined ? mysql.tls : { ca: readCertificates(mysql.ca_file) },
    connectTimeoutMs: mysql.connect_timeout_ms,
    timeoutMs: mysql.timeout_ms,
    connectionsMax: mysql.connections_max,
    schema,
    agreement,
    uuid,
    provenance,
    random: Math.random,
  })
}

/**
 * Throws STORE_MISCONFIGURED where the file of the embedded store is missing: for commands that look at what is there, and
 * would otherwise make an empty store in a wrong place.
 */
export function requireStore({ mysql, sqlite }: Config): void {
  const file = resolve(sqlite.file)
  if (mysql === undefined && !existsSync(file))
    throw new SequenceError(
      'STORE_MISCONFIGURED',
      `there is no store at ${file}; is sqlite.file right, or the folder?`,
    )
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([{ path: 'mysql.ca_file', message: unreadable(error, resolve(file)) }])
  }
}
