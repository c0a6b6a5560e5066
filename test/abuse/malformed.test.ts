import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UdpClient } from '../udp/client.ts'
import { type AbusedInstance, metric, startAbused } from './instance.ts'
import { exchange } from './raw.ts'

let instance: AbusedInstance
beforeAll(async () => {
  // With a token, without which there is no form to log in.
  instance = await startAbused({ SEQSVR_ADMIN_TOKEN: 'a-token-of-the-tests' })
})
afterAll(() => instance.end())

describe('what is no request, or too much of one', () => {
  const HOST = 'Host: a\r\n'
  it.each([
    ['headers', `GET /new HTTP/1.1\r\n${HOST}X: ${'a'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a target', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 431 /],
    ['many headers', `GET /new HTTP/1.1\r\n${HOST}${'X: 1\r\n'.repeat(50_000)}\r\n`, /^HTTP\/1\.1 431 /],
    [
      'a form',
      `POST /new HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(1_000_000)}`,
      /^HTTP\/1\.1 413 /,
    ],
    [
      'a chunk',
      `POST /new HTTP/1.1\r\n${HOST}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n${'a'.repeat(0xfffff)}\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 413 /,
    ],
    [
      'the extension of a chunk',
      `POST /new HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(100_000)}\r\na\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 4(13|00) /,
    ],
    ['garbage', `${'\u0000\u0001\u00ff'.repeat(30_000)}\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['Redis', '*2\r\n$4\r\nINCR\r\n$6\r\nhonest\r\n'.repeat(1_000), /^HTTP\/1\.1 400 /],
    [
      'a Host that is no name',
      'GET / HTTP/1.1\r\nHost: 1.2.3.4.5\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a form for a Host that is no name',
      'POST /status/login HTTP/1.1\r\nHost: 1.2.3.4.5\r\nOrigin: http://a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', /^HTTP\/1\.1 400 /],
  ])('HTTP: %s', async (_, bytes, answer) => {
    const { ports, process } = instance
    expect((await exchange(ports.http, bytes))[0]).toMatch(answer)
    expect((await fetch(`${process.url}/new`)).status).toBe(200)
  })

  it('I9: HTTP: a pipeline of more than node:http works on at once ends the connection', async () => {
    const { ports } = instance
    const [answers = ''] = await exchange(ports.http, 'GET /livez?x HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(300))
    expect(answers.split('HTTP/1.1 200').length - 1).toBeLessThanOrEqual(100)
  })

  it.each([
    ['a bulk string', '*2\r\n$3\r\nGET\r\n$99999999\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    ['an array', '*99999999\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
    ['a negative bulk', '*1\r\n$-9\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    ['an inline command', 'a'.repeat(100_000), '-ERR Protocol error: too big inline request\r\n'],
    [
      'the line of a length',
      `*${'1'.repeat(100_000)}`,
      '-ERR Protocol error: too big mbulk count string\r\n',
    ],
    [
      'a command',
      `*17\r\n${`$65000\r\n${'a'.repeat(65_000)}\r\n`.repeat(17)}`,
      '-ERR Protocol error: too big command\r\n',
    ],
    [
      'garbage',
      '*1\r\n\u0000\u00ff\r\n'.repeat(10_000),
      "-ERR Protocol error: expected '$', got '\u0000'\r\n",
    ],
    ['HTTP', 'POST / HTTP/1.1\r\nHost: a\r\n\r\nINCR honest\r\n', ''],
  ])('Redis: %s', async (_, bytes, answer) => {
    const { ports } = instance
    expect((await exchange(ports.redis, bytes))[0]).toBe(answer)
    expect((await exchange(ports.redis, 'PING\r\nQUIT\r\n'))[0]).toBe('+PONG\r\n+OK\r\n')
  })

  it('UDP: datagrams that are none, too large, or replies get an error or nothing, and are counted', async () => {
    const client = new UdpClient(instance.ports.udp)
    const request = { action: 'get', rule_name: 'task', app_name: 'a' }
    const dropped = await metric(instance, 'seqsvr_datagrams_dropped_total')
    client.send(Buffer.alloc(60_000, '['))
    client.send('')
    client.send('\u0000')
    // As another server would send it, with a forged address: two servers must not answer each other for ever.
    client.send(JSON.stringify({ ...request, code: 0, data: 'x', message: 'success' }))
    expect(await client.ask({ ...request, salt: 'x'.repeat(5_000) })).toMatchObject({
      code: -1,
      message: 'BAD_REQUEST: a datagram must not be longer than 2048 bytes',
    })
    expect(await client.ask(request)).toMatchObject({ code: 0 })
    expect(await metric(instance, 'seqsvr_datagrams_dropped_total')).toBe(dropped + 4)
    expect(client.replies).toHaveLength(2)
  })
})
