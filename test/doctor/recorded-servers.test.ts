import { describe, expect, it } from 'vitest'
import { type ClusterFacts, judgeCluster } from '../../src/store/mysql/inspection-cluster.ts'
import { judgeServer } from '../../src/store/mysql/inspection-server.ts'
import { judgeCounter } from '../../src/store/mysql/inspection-tables.ts'
import { grave, only } from './findings.ts'

/*
 * Servers that cannot be had here. Each is a recorded answer of SHOW VARIABLES and SHOW STATUS, of which only what counts
 * is kept; the real servers are in mysql-server.test.ts.
 */

const COMMON = {
  innodb_flush_log_at_trx_commit: '1',
  sync_binlog: '1',
  innodb_doublewrite: 'ON',
  sql_mode: 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES',
  transaction_isolation: 'REPEATABLE-READ',
  max_connections: '151',
  threads_connected: '3',
  read_only: 'OFF',
  super_read_only: 'OFF',
  innodb_read_only: 'OFF',
  auto_increment_increment: '1',
  auto_increment_offset: '1',
}

const MYSQL_80 = {
  ...COMMON,
  version: '8.0.36',
  version_comment: 'MySQL Community Server - GPL',
  log_bin: 'ON',
}
const MYSQL_57 = { ...COMMON, version: '5.7.44-log', log_bin: 'ON', binlog_format: 'ROW' }
const MARIADB_101 = { ...COMMON, version: '10.1.48-MariaDB', log_bin: 'OFF' }
const MARIADB_1024 = { ...COMMON, version: '10.2.4-MariaDB-log', log_bin: 'ON', binlog_format: 'MIXED' }
const AURORA = { ...MYSQL_80, aurora_version: '3.05.2', innodb_doublewrite: 'OFF' }
const TIDB = {
  ...COMMON,
  version: '8.0.11-TiDB-v7.5.0',
  version_comment: 'TiDB Server (Apache License 2.0) Community Edition, MySQL 8.0 compatible',
  sync_binlog: '0',
  innodb_flush_log_at_trx_commit: '2',
}
const GALERA = {
  ...COMMON,
  version: '10.11.6-MariaDB-log',
  log_bin: 'OFF',
  wsrep_on: 'ON',
  wsrep_ready: 'ON',
  wsrep_cluster_status: 'Primary',
  wsrep_cluster_size: '3',
  wsrep_sync_wait: '0',
  auto_increment_increment: '3',
}
const GROUP = {
  ...MYSQL_80,
  group_replication_group_name: 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa',
  group_replication_single_primary_mode: 'ON',
  group_replication_consistency: 'EVENTUAL',
  auto_increment_increment: '7',
}

const GENERATOR_TABLE = 'CREATE TABLE `generator_table` (…) ENGINE=InnoDB AUTO_INCREMENT=30001'

function judged(variables: Readonly<Record<string, string>>, facts: Partial<ClusterFacts> = {}) {
  const map = new Map(Object.entries(variables))
  return [
    ...judgeServer(map, { connectionsMax: 4 }),
    ...judgeCluster(map, { replica: [], generatorTable: GENERATOR_TABLE, ...facts }),
  ]
}

describe('recorded: MySQL and MariaDB', () => {
  it.each([
    ['MySQL 8.0', MYSQL_80, []],
    ['MySQL 8.4', { ...MYSQL_80, version: '8.4.3' }, []],
    ['MySQL 5.7 with a binlog by rows', MYSQL_57, ['warning server-version', 'warning replica-counter']],
    [
      'MySQL 5.7 with one by statements',
      { ...MYSQL_57, binlog_format: 'STATEMENT' },
      ['warning server-version'],
    ],
    ['MariaDB 10.1', MARIADB_101, ['warning server-version']],
    [
      'MariaDB 10.2.3',
      { ...MARIADB_1024, version: '10.2.3-MariaDB' },
      ['warning server-version', 'warning replica-counter'],
    ],
    ['MariaDB 10.2.4', MARIADB_1024, []],
    ['MariaDB with its stricter 3', { ...MARIADB_1024, innodb_flush_log_at_trx_commit: '3' }, []],
    [
      'MySQL 8.0.30 that detects torn pages only',
      { ...MYSQL_80, innodb_doublewrite: 'DETECT_ONLY' },
      ['warning durability-doublewrite'],
    ],
    [
      'MySQL 8.0 without a redo log',
      { ...MYSQL_80, innodb_redo_log_enabled: 'OFF' },
      ['danger durability-redo-log'],
    ],
    [
      'a flush method that does not sync',
      { ...MYSQL_80, innodb_flush_method: 'nosync' },
      ['danger durability-redo-log'],
    ],
    [
      'a proxy that undoes what a session set',
      { ...MYSQL_80, sql_mode: 'NO_BACKSLASH_ESCAPES' },
      ['danger sql-mode'],
    ],
    [
      'a proxy that undoes what a session asked of its transactions',
      { ...MYSQL_80, transaction_isolation: 'READ-COMMITTED' },
      ['warning isolation'],
    ],
    ['a user with fewer connections', { ...MYSQL_80, max_user_connections: '2' }, ['warning connections']],
    ['Vitess', { ...MYSQL_80, version: '8.0.30-Vitess' }, ['warning vitess']],
  ])('%s', (_name, variables, expected) => {
    expect(grave(judged(variables))).toEqual(expected)
  })
})

describe('recorded: a replica of MySQL 5.7 after REPLACE, promoted', () => {
  it('I3: whose counter is behind its table cannot serve', () => {
    const table = 'CREATE TABLE `generator_table` (…) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4'
    expect(judgeCounter(table, 4n).severity).toBe('ok')
    const finding = judgeCounter(table, 5n)
    expect([finding.name, finding.severity]).toEqual(['counter-behind', 'failed'])
  })
})

describe('recorded: Aurora', () => {
  it('the writer is well, without a doublewrite', () => {
    expect(grave(judged(AURORA))).toEqual([])
  })

  it('a reader cannot serve', () => {
    expect(grave(judged({ ...AURORA, innodb_read_only: 'ON' }))).toEqual(['failed read-only'])
  })
})

describe('recorded: replicas, with the columns of MySQL 8.0.22 and of older servers', () => {
  it.each([
    [
      'following',
      { Replica_IO_Running: 'Yes', Replica_SQL_Running: 'Yes', Source_Host: 'db', Source_Port: 3306 },
      'danger',
    ],
    [
      'with a broken connection',
      { Slave_IO_Running: 'Connecting', Slave_SQL_Running: 'Yes', Master_Host: 'db', Master_Port: 3306 },
      'danger',
    ],
    [
      'stopped',
      { Slave_IO_Running: 'No', Slave_SQL_Running: 'No', Master_Host: 'db', Master_Port: 3306 },
      'warning',
    ],
  ])('%s', (_name, row, severity) => {
    const finding = only(judged(MYSQL_80, { replica: [row] }), 'replica')
    expect([finding.severity, finding.what]).toEqual([severity, expect.stringContaining('db:3306')])
  })

  it('a demoted primary that follows another one and takes no writes is both', () => {
    const row = {
      Replica_IO_Running: 'Yes',
      Replica_SQL_Running: 'Yes',
      Source_Host: 'db',
      Source_Port: 3306,
    }
    expect(
      grave(judged({ ...MYSQL_80, read_only: 'ON', super_read_only: 'ON' }, { replica: [row] })),
    ).toEqual(['failed read-only', 'danger replica'])
  })
})

describe('recorded: clusters', () => {
  it.each([
    ['Galera whose reads do not wait', GALERA, ['warning galera']],
    ['Galera whose reads wait', { ...GALERA, wsrep_sync_wait: '15' }, []],
    ['Galera whose writes alone wait', { ...GALERA, wsrep_sync_wait: '6' }, ['warning galera']],
    ['a node without a quorum', { ...GALERA, wsrep_cluster_status: 'non-Primary' }, ['failed galera']],
    ['a node that is joining', { ...GALERA, wsrep_ready: 'OFF' }, ['failed galera']],
    ['a server built for Galera that is alone', { ...GALERA, wsrep_on: 'OFF' }, []],
    ['Group Replication, eventually consistent', GROUP, ['warning group-replication']],
    [
      'that waits at a failover',
      { ...GROUP, group_replication_consistency: 'BEFORE_ON_PRIMARY_FAILOVER' },
      [],
    ],
    [
      'with several primaries, which needs more',
      {
        ...GROUP,
        group_replication_single_primary_mode: 'OFF',
        group_replication_consistency: 'BEFORE_ON_PRIMARY_FAILOVER',
      },
      ['warning group-replication'],
    ],
    [
      'a secondary',
      { ...GROUP, super_read_only: 'ON', group_replication_consistency: 'BEFORE' },
      ['failed read-only'],
    ],
    ['MySQL with the plugin and no group', { ...GROUP, group_replication_group_name: '' }, []],
  ])('%s', (_name, variables, expected) => {
    expect(grave(judged(variables))).toEqual(expected)
  })
})

describe('recorded: TiDB', () => {
  it('I3: with a cache of numbers for each server it cannot serve', () => {
    expect(grave(judged(TIDB))).toEqual(['failed tidb-auto-id-cache'])
    expect(
      grave(judged(TIDB, { generatorTable: `${GENERATOR_TABLE} /*T![auto_id_cache] AUTO_ID_CACHE=100 */` })),
    ).toEqual(['failed tidb-auto-id-cache'])
    expect(grave(judged(TIDB, { generatorTable: undefined }))).toEqual([])
  })

  it('with AUTO_ID_CACHE 1 it is well, whatever the variables of InnoDB say', () => {
    const generatorTable = `${GENERATOR_TABLE} /*T![auto_id_cache] AUTO_ID_CACHE=1 */`
    expect(grave(judged(TIDB, { generatorTable }))).toEqual([])
  })
})
