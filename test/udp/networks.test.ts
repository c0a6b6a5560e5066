import { describe, expect, it } from 'vitest'
import { createNetworkFilter } from '../../src/fronts/udp/networks.ts'

describe('the networks that may ask', () => {
  it.each([
    ['every address, where there are none', [], '203.0.113.9', true],
    ['the first of an IPv4 network', ['10.0.0.0/8'], '10.0.0.0', true],
    ['the last of an IPv4 network', ['10.0.0.0/8'], '10.255.255.255', true],
    ['the one after it', ['10.0.0.0/8'], '11.0.0.0', false],
    ['one IPv4 address', ['192.0.2.7'], '192.0.2.7', true],
    ['its neighbour', ['192.0.2.7'], '192.0.2.6', false],
    ['an address of the second network', ['192.0.2.7', '10.0.0.0/8'], '10.1.2.3', true],
    ['an address of an IPv6 network', ['fd00::/8'], 'fd12:3456::1', true],
    ['an address outside of it', ['fd00::/8'], 'fe80::1', false],
    ['one IPv6 address', ['2001:db8::7'], '2001:db8::7', true],
    ['its neighbour of the same /32', ['2001:db8::7'], '2001:db8::6', false],
    ['an IPv4 client of a socket for both families', ['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    ['the same outside', ['10.0.0.0/8'], '::ffff:192.0.2.7', false],
    ['an IPv6 client of IPv4 networks', ['10.0.0.0/8'], 'fd00::1', false],
    ['an IPv4 client of IPv6 networks', ['fd00::/8'], '10.0.0.1', false],
  ])('%s', (_, networks, address, expected) => {
    expect(createNetworkFilter(networks)(address)).toBe(expected)
  })
})
