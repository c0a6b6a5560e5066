import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'

/** System and status variables by their names in lower case. A server that lacks one has no entry for it. */
export type Variables = ReadonlyMap<string, string>

/** What is looked at in the settings of a server. */
export const serverFindings = {
  'server-version': {
    severities: ['warning'],
    why: 'before MySQL 8.0 and MariaDB 10.2.4 a restart sets the auto-increment counter to MAX(id)+1, so an id whose row was deleted comes again. seqsvr never deletes the greatest row, but another program may',
  },
  'replica-counter': {
    severities: ['warning'],
    why: 'before MySQL 8.0 and MariaDB 10.2.4 replicas with row-based binlog do not advance the counter for a REPLACE that replaces a row. An older server does nothing else: after a failover it leases old ids again. seqsvr uses new rows, and refuses what lies below the greatest one (I3)',
  },
  'durability-redo-log': {
    severities: ['danger'],
    why: 'the server acknowledges a COMMIT before it is on the disk: a crash takes leases back whose ids were served, and they are leased again',
  },
  'durability-binlog': {
    severities: ['danger'],
    why: 'with a binlog, recovery after a crash rolls back what the binlog lacks, so that leases whose ids were served are leased again',
  },
  'durability-doublewrite': {
    severities: ['warning'],
    why: 'a page that was half written at a power cut cannot be mended, and then only a backup is left, which has forgotten the latest leases',
  },
  'sql-mode': {
    severities: ['danger'],
    why: 'a max_id that is cut to the end of its column without an error is leased again and again, and a name with a quote in it can change a statement',
  },
  isolation: {
    severities: ['warning'],
    why: 'a sequence that is retired and made again in the same moment may miss what it had leased before',
  },
  connections: {
    severities: ['warning'],
    why: 'an instance that gets no connection gets no lease',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(serverFindings)

/** What the settings of a server mean for leases. Pure, so that a recorded answer of any server will do. */
export function judgeServer(variables: Variables, { connectionsMax }: { connectionsMax: number }): Finding[] {
  const server = serverOf(variables)
  // TiDB keeps its log by Raft, and knows the variables of InnoDB in name only.
  const durability =
    server.product === 'TiDB'
      ? []
      : [judgeRedoLog(variables), judgeBinlog(variables), judgeDoublewrite(variables)]
  return [
    ...judgeVersion(variables),
    ...durability,
    judgeSqlMode(variables),
    judgeIsolation(variables),
    judgeConnections(variables, connectionsMax),
  ].filter((finding) => finding !== undefined)
}

export interface Server {
  readonly product: 'MySQL' | 'MariaDB' | 'TiDB'
  readonly version: string
  /** Whether it behaves as MySQL 8.0 does: it remembers the counter, and replicas advance it. */
  readonly keepsCounter: boolean
}

/** What the server says that it is: `8.0.36`, `10.11.6-MariaDB-log`, `8.0.11-TiDB-v7.5.0`. */
export function serverOf(variables: Variables): Server {
  const version = variables.get('version') ?? 'of an unknown version'
  if (/tidb/i.test(version)) return { product: 'TiDB', version, keepsCounter: true }
  const isMaria = /mariadb/i.test(`${version} ${variables.get('version_comment')}`)
  const since = isMaria ? [10, 2, 4] : [8, 0, 0]
  return { product: isMaria ? 'MariaDB' : 'MySQL', version, keepsCounter: isAtLeast(version, since) }
}

/** Whether a setting is on: servers say ON, 1 or, of some, YES. */
export function isOn(variables: Variables, name: string): boolean {
  return /^(on|1|yes|true)$/i.test(variables.get(name) ?? '')
}

/** Aurora has a storage of its own, without doublewrite, which is as safe. */
export function isAurora(variables: Variables): boolean {
  return variables.has('aurora_version')
}

function isAtLeast(version: string, since: readonly number[]): boolean {
  const numbers = version.match(/\d+/g)?.map(Number) ?? []
  const differing = since.findIndex((number, i) => numbers[i] !== number)
  return differing === -1 || (numbers[differing] ?? 0) > (since[differing] as number)
}

function judgeVersion(variables: Variables): Finding[] {
  const { product, version, keepsCounter } = serverOf(variables)
  const what = product === 'TiDB' ? version : `${product} ${version}`
  if (keepsCounter) return [ok('server-version', `${what} keeps the auto-increment counter across restarts`)]
  const findings: Finding[] = [
    bad(
      'server-version',
      'warning',
      `${what} forgets the auto-increment counter at a restart`,
      'never delete the row of generator_table with the greatest id, and upgrade: MySQL 8.0, MariaDB 10.2.4 or newer',
    ),
  ]
  if (isOn(variables, 'log_bin') && variables.get('binlog_format')?.toUpperCase() !== 'STATEMENT')
    findings.push(
      bad(
        'replica-counter',
        'warning',
        `the replicas of ${what} fall behind with the counter of generator_table, where an older server uses it`,
        'after a failover run `seqsvr sequence advance --all --by N` before an older server leases; retire older servers, and upgrade',
      ),
    )
  return findings
}

function judgeRedoLog(variables: Variables): Finding {
  const flush = variables.get('innodb_flush_log_at_trx_commit')
  const method = variables.get('innodb_flush_method') ?? ''
  // MariaDB's 3 syncs more often than 1.
  if (flush !== undefined && flush !== '1' && flush !== '3')
    return bad(
      'durability-redo-log',
      'danger',
      `innodb_flush_log_at_trx_commit is ${flush}`,
      'SET GLOBAL innodb_flush_log_at_trx_commit = 1, and put it into the configuration of the server',
    )
  if (/nosync|littlesync/i.test(method))
    return bad(
      'durability-redo-log',
      'danger',
      `innodb_flush_method is ${method}`,
      'start the server with innodb_flush_method = fsync or O_DIRECT',
    )
  if (/^off$/i.test(variables.get('innodb_redo_log_enabled') ?? ''))
    return bad(
      'durability-redo-log',
      'danger',
      'the redo log is turned off',
      'ALTER INSTANCE ENABLE INNODB REDO_LOG',
    )
  return ok('durability-redo-log', `innodb_flush_log_at_trx_commit is ${flush ?? 'not a setting here'}`)
}

function judgeBinlog(variables: Variables): Finding {
  const sync = variables.get('sync_binlog')
  if (!isOn(variables, 'log_bin')) return ok('durability-binlog', 'there is no binlog')
  if (sync === '1') return ok('durability-binlog', 'sync_binlog is 1')
  return bad(
    'durability-binlog',
    'danger',
    `sync_binlog is ${sync}, and log_bin is on`,
    'SET GLOBAL sync_binlog = 1, and put it into the configuration of the server',
  )
}

function judgeDoublewrite(variables: Variables): Finding {
  const doublewrite = variables.get('innodb_doublewrite')
  if (isAurora(variables)) return ok('durability-doublewrite', 'the storage of Aurora needs none')
  if (doublewrite === undefined || !/^(off|0|detect_only)$/i.test(doublewrite))
    return ok('durability-doublewrite', `innodb_doublewrite is ${doublewrite ?? 'not a setting here'}`)
  return bad(
    'durability-doublewrite',
    'warning',
    `innodb_doublewrite is ${doublewrite}`,
    'start the server with innodb_doublewrite = ON, unless its file system never tears a page (ZFS)',
  )
}

/** Of a session as seqsvr sets it up, which a proxy may undo. */
function judgeSqlMode(variables: Variables): Finding {
  const modes = variables.get('sql_mode')?.split(',') ?? []
  if (modes.includes('STRICT_ALL_TABLES') && !modes.includes('NO_BACKSLASH_ESCAPES'))
    return ok('sql-mode', 'sessions are strict, and backslashes escape')
  return bad(
    'sql-mode',
    'danger',
    `the sql_mode of a session is ${modes.join() || 'empty'}, although seqsvr set another one`,
    'have the proxy in between keep the settings of a session (no multiplexing)',
  )
}

function judgeIsolation(variables: Variables): Finding {
  const isolation = variables.get('transaction_isolation') ?? variables.get('tx_isolation')
  if (isolation === undefined || isolation === 'REPEATABLE-READ')
    return ok('isolation', 'transactions see one moment')
  return bad(
    'isolation',
    'warning',
    `the transactions of a session are ${isolation}, although seqsvr asked for REPEATABLE READ`,
    'have the proxy in between keep the settings of a session (no multiplexing)',
  )
}

function judgeConnections(variables: Variables, connectionsMax: number): Finding | undefined {
  const most = Number(variables.get('max_connections'))
  const mine = Number(variables.get('max_user_connections') ?? 0)
  const used = Number(variables.get('threads_connected') ?? 0)
  if (Number.isNaN(most)) return undefined
  const what = `${used} of ${most} connections are in use, and one instance takes up to ${connectionsMax}`
  if (mine > 0 && mine < connectionsMax)
    return bad(
      'connections',
      'warning',
      `one user may have ${mine} connections, and one instance takes up to ${connectionsMax}`,
      'raise max_user_connections, or lower mysql.connections_max',
    )
  if (used + connectionsMax <= most) return ok('connections', what)
  return bad('connections', 'warning', what, 'raise max_connections, or lower mysql.connections_max')
}
