import type { AddressInfo } from 'node:net'
import type { ListenAddress } from '../config/address.ts'

/** What a socket listens on, for people: `127.0.0.1:8000`, or `:8000` for all interfaces. */
export function boundTo(address: AddressInfo): string {
  return isForAll(address) ? `:${address.port}` : hostAndPort(address)
}

/** The same for the log, where it is worth a word that the port is open to the network. */
export function listeningOn(address: AddressInfo, scheme = ''): string {
  return isForAll(address) ? `:${address.port} (all interfaces)` : `${scheme}${hostAndPort(address)}`
}

/** The URL at which this machine reaches a listening socket. */
export function urlOf(address: AddressInfo): string {
  return `http://${hostAndPort(address)}`
}

/** Where this machine reaches a listening socket: by loopback when it listens on all interfaces. */
function hostAndPort(bound: AddressInfo): string {
  const { address, family, port } = bound
  if (isForAll(bound)) return `127.0.0.1:${port}`
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function isForAll({ address }: AddressInfo): boolean {
  return address === '::' || address === '0.0.0.0'
}

/** One line that says why a port could not be bound and with what `setting` to choose another. Anything but that is thrown on. */
export function describeListenError(error: unknown, { host, port }: ListenAddress, setting: string): string {
  const address = `${host ?? ''}:${port}`
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop what listens on ${address}, or choose another with ${setting}`
    case 'EACCES':
      return `may not listen on ${address}: choose a port from 1024 up with ${setting}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `no such address on this machine: ${address}; choose another with ${setting}`
    default:
      throw error
  }
}
