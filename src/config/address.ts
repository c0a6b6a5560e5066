import { isIPv4, isIPv6 } from 'node:net'

/** Where a front listens. */
export interface ListenAddress {
  /** Without brackets; undefined for all interfaces. */
  readonly host: string | undefined
  /** 0 to 65535; with 0 the system picks one. */
  readonly port: number
}

/** Where a MySQL server is: a host with or without a port, or a Unix socket. */
export type MysqlAddress = { readonly host: string; readonly port?: number } | { readonly socketPath: string }

/** `':8000'`, `'127.0.0.1:8000'`, `'[::1]:8000'`, `'localhost:8000'`, `8000` or `'8000'`; undefined when it is none of them. */
export function parseListenAddress(value: unknown): ListenAddress | undefined {
  if (typeof value === 'number') return parseListenAddress(String(value))
  if (typeof value !== 'string') return undefined
  const [, host, portText] = /^(?:(.*):)?(\d{1,5})$/.exec(value) ?? []
  const port = Number(portText)
  if (portText === undefined || port > 65_535) return undefined
  if (host === undefined || host === '') return { host: undefined, port }
  const name = parseHost(host)
  return name === undefined ? undefined : { host: name, port }
}

/**
 * `'localhost'`, `'db:3307'`, `'[::1]:3307'`, or the forms of the older server's configuration, a Go data source name's
 * `'tcp(localhost:3306)'` and `'unix(/run/mysqld.sock)'`; undefined when it is none of them.
 */
export function parseMysqlAddress(value: unknown): MysqlAddress | undefined {
  if (typeof value !== 'string') return undefined
  const socketPath = /^unix\((\/.+)\)$/.exec(value)?.[1]
  if (socketPath !== undefined) return { socketPath }
  const address = /^tcp\((.+)\)$/.exec(value)?.[1] ?? value
  const withoutPort = parseHost(address)
  if (withoutPort !== undefined) return { host: withoutPort }
  const { host, port } = parseListenAddress(address) ?? {}
  return host === undefined || port === undefined || port === 0 ? undefined : { host, port }
}

function parseHost(host: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1]
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined
  // A word of digits is a port that lost its colon rather than a host.
  return isIPv4(host) || (/^[\w.-]+$/.test(host) && !/^[\d.]+$/.test(host)) ? host : undefined
}
