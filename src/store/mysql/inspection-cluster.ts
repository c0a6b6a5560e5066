import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import { isOn, serverOf, type Variables } from './inspection-server.ts'

/** What is looked at in how a server stands to others. */
export const clusterFindings = {
  'read-only': {
    severities: ['failed'],
    why: 'a lease is a commit: on a replica, or on a primary that was demoted, there is none',
  },
  replica: {
    severities: ['danger', 'warning'],
    why: 'what is leased on a replica does not reach its primary, and the other way round only later: two instances on the two lease the same ids',
  },
  galera: {
    severities: ['failed', 'warning'],
    why: 'a node applies the commits of others a little later. An instance that leased on one node and then reads on another finds less than it has seen, and takes that for a database that went backwards (I3): the sequence stops for all',
  },
  'group-replication': {
    severities: ['warning'],
    why: 'a member applies the commits of others a little later, also a new primary after a failover. An instance that reads too early finds less than it has seen, and takes that for a database that went backwards (I3): the sequence stops for all',
  },
  'auto-increment-gaps': {
    severities: [],
    why: 'lease numbers are not consecutive then, which leaves gaps and repeats nothing',
  },
  'tidb-auto-id-cache': {
    severities: ['failed'],
    why: 'each TiDB server leases from a cache of its own, so that lower numbers follow higher ones. seqsvr takes that for a counter that was lost and refuses (I3)',
  },
  vitess: {
    severities: ['warning'],
    why: 'in a sharded keyspace every shard counts by itself, so that one lease number is given several times',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(clusterFindings)

/** A row of SHOW REPLICA STATUS, with the names of the columns as the server spells them; one for each source. */
export type ReplicaRow = Readonly<Record<string, unknown>>

export interface ClusterFacts {
  /** What the server follows, or why that could not be seen. */
  readonly replica: readonly ReplicaRow[] | Error
  /** What SHOW CREATE TABLE says of generator_table; undefined when there is none. */
  readonly generatorTable: string | undefined
}

/** What a server's place among others means for leases. Pure, so that recorded answers will do. */
export function judgeCluster(variables: Variables, facts: ClusterFacts): Finding[] {
  return [
    judgeReadOnly(variables),
    judgeReplica(facts.replica),
    ...judgeGalera(variables),
    ...judgeGroupReplication(variables),
    judgeIncrement(variables),
    ...judgeTidb(variables, facts.generatorTable),
    ...judgeVitess(variables),
  ]
}

function judgeReadOnly(variables: Variables): Finding {
  const reasons = ['super_read_only', 'read_only', 'innodb_read_only', 'tidb_super_read_only'].filter(
    (name) => isOn(variables, name),
  )
  if (reasons.length === 0) return ok('read-only', 'the server takes writes')
  return bad(
    'read-only',
    'failed',
    `${reasons.join(' and ')} ${reasons.length === 1 ? 'is' : 'are'} on`,
    'point mysql.host at the primary: with Aurora, at the cluster (writer) endpoint',
  )
}

function judgeReplica(replica: ClusterFacts['replica']): Finding {
  if (replica instanceof Error)
    return bad(
      'replica',
      'warning',
      `whether the server is a replica could not be seen: ${replica.message}`,
      'GRANT REPLICATION CLIENT (MariaDB: SLAVE MONITOR) ON *.* to the user of this check, or make sure by hand that mysql.host is the primary',
    )
  const follows = replica.find(
    (row) => state(row, 'IO_Running') !== 'No' || state(row, 'SQL_Running') !== 'No',
  )
  const row = follows ?? replica[0]
  if (row === undefined) return ok('replica', 'the server follows no other')
  const source = `${row.Source_Host ?? row.Master_Host}:${row.Source_Port ?? row.Master_Port}`
  if (follows === undefined)
    return bad(
      'replica',
      'warning',
      `the server was a replica of ${source}, and has stopped`,
      'if it is the primary now, RESET REPLICA ALL; otherwise point mysql.host at the primary',
    )
  return bad(
    'replica',
    'danger',
    `the server is a replica of ${source}`,
    'point mysql.host at the primary; of two servers that follow each other, use one only',
  )
}

function state(row: ReplicaRow, thread: 'IO_Running' | 'SQL_Running'): unknown {
  return row[`Replica_${thread}`] ?? row[`Slave_${thread}`]
}

const READ_BIT = 1

function judgeGalera(variables: Variables): Finding[] {
  if (!isOn(variables, 'wsrep_on')) return []
  const status = variables.get('wsrep_cluster_status')
  const size = variables.get('wsrep_cluster_size')
  if (variables.get('wsrep_ready') === 'OFF' || (status !== undefined && status !== 'Primary'))
    return [
      bad(
        'galera',
        'failed',
        `this node of Galera takes no statements (cluster status ${status})`,
        'point mysql.host at a node of the primary component, and bring this one back into it',
      ),
    ]
  if (Number(variables.get('wsrep_sync_wait') ?? 0) & READ_BIT)
    return [ok('galera', `a node of ${size}, whose reads wait for the commits of the others`)]
  return [
    bad(
      'galera',
      'warning',
      `a node of ${size}, whose reads do not wait for the commits of the others`,
      'point all instances at one node (a proxy may switch over), or SET GLOBAL wsrep_sync_wait = 1 on all nodes',
    ),
  ]
}

function judgeGroupReplication(variables: Variables): Finding[] {
  if ((variables.get('group_replication_group_name') ?? '') === '') return []
  const isSingle = isOn(variables, 'group_replication_single_primary_mode')
  const consistency = variables.get('group_replication_consistency') ?? 'EVENTUAL'
  const mode = `${isSingle ? 'single' : 'multi'}-primary mode with group_replication_consistency ${consistency}`
  const waits = consistency !== 'EVENTUAL' && (isSingle || consistency !== 'BEFORE_ON_PRIMARY_FAILOVER')
  if (waits) return [ok('group-replication', `a member in ${mode}`)]
  return [
    bad(
      'group-replication',
      'warning',
      `a member in ${mode}`,
      isSingle
        ? 'SET GLOBAL group_replication_consistency = BEFORE_ON_PRIMARY_FAILOVER on all members'
        : 'point all instances at one member, or SET GLOBAL group_replication_consistency = BEFORE on all members',
    ),
  ]
}

function judgeIncrement(variables: Variables): Finding {
  const increment = variables.get('auto_increment_increment') ?? '1'
  const offset = variables.get('auto_increment_offset') ?? '1'
  return ok(
    'auto-increment-gaps',
    increment === '1'
      ? 'lease numbers follow each other'
      : `auto_increment_increment is ${increment}, auto_increment_offset ${offset}: one lease number in ${increment} is used, the others are gaps`,
  )
}

function judgeTidb(variables: Variables, generatorTable: string | undefined): Finding[] {
  if (serverOf(variables).product !== 'TiDB') return []
  if (generatorTable === undefined)
    return [ok('tidb-auto-id-cache', 'generator_table will be made with AUTO_ID_CACHE 1')]
  if (/AUTO_ID_CACHE\s*=?\s*1\b/i.test(generatorTable))
    return [ok('tidb-auto-id-cache', 'AUTO_ID_CACHE of generator_table is 1')]
  return [
    bad(
      'tidb-auto-id-cache',
      'failed',
      'AUTO_ID_CACHE of generator_table is not 1',
      'on TiDB 6.5 or newer, with all instances stopped, make a table as in schema.sql with AUTO_ID_CACHE 1, copy the row with the greatest id into it, and rename it to generator_table',
    ),
  ]
}

function judgeVitess(variables: Variables): Finding[] {
  if (!/vitess/i.test(`${variables.get('version')} ${variables.get('version_comment')}`)) return []
  return [
    bad(
      'vitess',
      'warning',
      'the server is Vitess; whether its keyspace is sharded could not be seen',
      'keep the tables of seqsvr in an unsharded keyspace',
    ),
  ]
}
