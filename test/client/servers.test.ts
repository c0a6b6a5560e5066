import { describe, expect, it } from 'vitest'
import { type Server, Servers } from '../../src/client/servers.ts'

function one(): { servers: Servers; server: Server } {
  const servers = new Servers(['http://a:8000'], undefined)
  return { servers, server: servers.next(0) as Server }
}

describe('a failed server', () => {
  it('is left alone for as long as its Retry-After says, a minute at most', () => {
    const { servers, server } = one()
    servers.failed(server, 0, 30_000)
    expect([servers.next(29_999), servers.next(30_000)]).toEqual([undefined, server])
    servers.failed(server, 0, 3_600_000)
    expect([servers.next(59_999), servers.next(60_000)]).toEqual([undefined, server])
  })

  it('is left alone for longer after each failure in a row, for 2 s at most, and not at the same time by all', () => {
    const { servers, server } = one()
    const pausesMs = Array.from({ length: 8 }, () => {
      servers.failed(server, 0, 0)
      return servers.readyMs
    })
    for (const [i, longest] of [100, 200, 400, 800, 1600, 2000, 2000, 2000].entries()) {
      expect(pausesMs[i]).toBeGreaterThanOrEqual(longest / 2)
      expect(pausesMs[i]).toBeLessThanOrEqual(longest)
    }
    servers.succeeded(server)
    servers.failed(server, 0, 0)
    expect(servers.readyMs).toBeLessThanOrEqual(100)
  })
})

describe('several servers', () => {
  it('are asked in turn, without those that are left alone', () => {
    const servers = new Servers(['http://a', 'http://b', 'http://c'], 'orders')
    const [first, second, third] = [servers.next(0), servers.next(0), servers.next(0)] as Server[]
    expect([first, second, third].map((server) => server?.target).sort()).toEqual([
      'http://a/alloc?app_tag=orders&format=text&count=',
      'http://b/alloc?app_tag=orders&format=text&count=',
      'http://c/alloc?app_tag=orders&format=text&count=',
    ])
    servers.failed(second as Server, 0, 1_000)
    expect([servers.next(0), servers.next(0), servers.next(0)]).toEqual([first, third, first])
    expect([servers.next(1_000), servers.next(1_000), servers.next(1_000)]).toEqual([second, third, first])
  })
})
