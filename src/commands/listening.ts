import type { AddressInfo } from 'node:net'

/** The URL at which this machine reaches a listening socket. */
export function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return `http://127.0.0.1:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** One line that says why a port could not be bound and what to do. Anything but that is thrown on. */
export function describeListenError(
  error: unknown,
  { host, port }: { host: string | undefined; port: number },
): string {
  const address = `${host ?? ''}:${port}`
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop what listens on ${address}, or choose another with --port or SEQSVR_PORT`
    case 'EACCES':
      return `may not listen on ${address}: choose a port from 1024 up with --port or SEQSVR_PORT`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `no such address on this machine: ${address}; choose another with --port or SEQSVR_PORT`
    default:
      throw error
  }
}
