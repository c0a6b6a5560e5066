/** The Redis whose wording and protocol this front keeps; clients look at it to see what they may send. */
export const COMPATIBLE_REDIS_VERSION = '7.0.15'

/** What INFO reports. */
export interface ServerFigures {
  readonly port: number
  readonly uptimeSeconds: number
  readonly connections: number
  readonly connectionsMax: number
  readonly connectionsEver: number
  readonly sequencesHeld: number
}

type Section = readonly [title: string, ...lines: (readonly [field: string, value: string | number])[]]

/** The text of INFO: all sections, or those of `names`. */
export function renderInfo(figures: ServerFigures, names: readonly string[]): string {
  const sections: readonly Section[] = [
    [
      'Server',
      ['redis_version', COMPATIBLE_REDIS_VERSION],
      ['redis_mode', 'standalone'],
      ['server_name', 'seqsvr'],
      ['process_id', process.pid],
      ['tcp_port', figures.port],
      ['uptime_in_seconds', figures.uptimeSeconds],
    ],
    ['Clients', ['connected_clients', figures.connections], ['maxclients', figures.connectionsMax]],
    // Clients such as ioredis wait until they read loading:0, and look for a master.
    ['Persistence', ['loading', 0]],
    ['Stats', ['total_connections_received', figures.connectionsEver]],
    ['Replication', ['role', 'master'], ['connected_slaves', 0]],
    ['Sequences', ['sequences_in_memory', figures.sequencesHeld]],
  ]
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const all = wanted.size === 0 || ['all', 'default', 'everything'].some((name) => wanted.has(name))
  return sections
    .filter(([title]) => all || wanted.has(title.toLowerCase()))
    .map(([title, ...lines]) =>
      [`# ${title}`, ...lines.map(([field, value]) => `${field}:${value}`), ''].join('\r\n'),
    )
    .join('\r\n')
}
