import { BlockList, isIP } from 'node:net'

const MAPPED_PREFIX = '::ffff:'

/**
 * Whether an address lies in one of `networks`, each of the form `10.0.0.0/8`, `fd00::/8`, or an address; every one does
 * where there are none.
 */
export function createNetworkFilter(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true
  const list = new BlockList()
  for (const network of networks) {
    const [address, prefix] = network.split('/') as [string, string | undefined]
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family)
  }
  return (address) => {
    // How a socket for both families shows an IPv4 client.
    const plain = address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address
    return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }
}
