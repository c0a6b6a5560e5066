import type { AddressInfo, Server } from 'node:net'

/** Where a front listens. */
export interface ListenOptions {
  /** Undefined for all interfaces. */
  readonly host: string | undefined
  /** With 0 the system picks one. */
  readonly port: number
}

/**
 * Connections that wait to be accepted, as far as the system allows so many (net.core.somaxconn). Those beyond it come again a
 * second later, honest ones too: with Node's 511, a thousand at once while the process is busy for a moment are enough.
 */
const BACKLOG = 65_535

/** Binds a server's port. Rejects with the system's error (EADDRINUSE, EACCES, …). Resolves to the address it got. */
export function listen(server: Server, { host, port }: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
