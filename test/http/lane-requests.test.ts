import { describe, expect, it } from 'vitest'
import { OK_HEAD, open, PLAIN, reply, stopClock } from './memory-connection.ts'

stopClock()

describe('the express lane takes', () => {
  it.each([
    ['GET /new HTTP/1.1\r\nHost: a\r\n\r\n', '', undefined],
    ['GET /new? HTTP/1.1\r\nHost: a\r\n\r\n', '', undefined],
    ['GET /new?format=text&x=a.b~c_d-e HTTP/1.1\r\nHost: a\r\n\r\n', 'format=text&x=a.b~c_d-e', undefined],
    ['GET /new HTTP/1.1\r\nhOST:a\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: \t a.b-c_d0 \t\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:1000\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:59999\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:6000\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:9999\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n', '', '*/*'],
    ['GET /new HTTP/1.1\r\nHost: a\r\nACCEPT:  text/html \r\n\r\n', '', 'text/html'],
    ['GET /new HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n', '', undefined],
    ["GET /new HTTP/1.1\r\nHost: a\r\nUser-Agent: x (y; z)\r\nX-!#$%&'*+.^_`|~9:\r\n\r\n", '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a\r\nX-Connection: close\r\nTea: trailers\r\n\r\n', '', undefined],
  ])('%j', (request, query, accept) => {
    const asked: unknown[] = []
    const { connect, handedOver } = open((...parameters) => {
      asked.push(parameters)
      return reply('1')
    })
    const connection = connect()
    connection.send(request)
    expect(asked).toEqual([[query, accept]])
    expect(connection.written).toBe(`${OK_HEAD}Connection: keep-alive\r\nContent-Length: 1\r\n\r\n1`)
    expect(handedOver).toEqual([])
  })

  it('requests of up to 2048 bytes', () => {
    const request = (bytes: number) => `GET /new HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(bytes - 35)}\r\n\r\n`
    expect(request(2_048)).toHaveLength(2_048)
    const { connect, handedOver } = open()
    // Alone, and behind another one: the limit is for each.
    connect().send(request(2_048))
    connect().send(PLAIN + request(2_048))
    expect(handedOver).toEqual([])
    connect().send(request(2_049))
    connect().send(PLAIN + request(2_049))
    expect(handedOver.map(({ text }) => text).join('')).toBe(request(2_049) + PLAIN + request(2_049))
  })
})

describe('the express lane hands over, byte for byte and with its connection,', () => {
  it.each([
    'GET /new HTTP/1.1\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n\r',
    'GET /new HTTP/1.1\nHost: a\n\n',
    'GET /new HTTP/1.0\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1x1\r\nHost: a\r\n\r\n',
    'POST /new HTTP/1.1\r\nHost: a\r\n\r\n',
    'HEAD /new HTTP/1.1\r\nHost: a\r\n\r\n',
    ' GET /new HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\nGET /new HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /other HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /NEW HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?a=%41 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?a=b+c HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?count=2 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost:\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: A\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a/b\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: /a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a b\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:80\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:0999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:60000\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:599999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: \xe9\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\n\r\n',
    ...[
      'Connection: close',
      'Connection: upgrade',
      'CONNECTION: close',
      'Content-Length: 0',
      'Expect: 100-continue',
      'HTTP2-Settings: x',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: close',
      'TE: trailers',
      'Trailer: x',
      'Transfer-Encoding: chunked',
      'Upgrade: websocket',
      'Upgrade: keep-alive',
    ].map((header) => `GET /new HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`),
  ])('%j', (request) => {
    let asked = 0
    const { connect, handedOver } = open(() => {
      asked++
      return reply('1')
    })
    const alone = connect()
    alone.send(request)
    const behind = connect()
    behind.send(PLAIN + request)
    expect(handedOver).toEqual([
      { connection: alone, text: request },
      { connection: behind, text: PLAIN + request },
    ])
    expect([alone.written, behind.written, asked]).toEqual(['', '', 0])
  })

  it('what comes later, so that one connection is never read by both', () => {
    const { connect, handedOver, lane } = open()
    const connection = connect()
    connection.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n')
    connection.send(PLAIN)
    expect(handedOver.map(({ text }) => text)).toEqual(['GET /other HTTP/1.1\r\nHost: a\r\n\r\n', PLAIN])
    for (const event of ['drain', 'timeout', 'end', 'error']) expect(connection.listenerCount(event)).toBe(0)
    lane.drain()
    lane.cut()
    expect([connection.written, connection.isEnded, connection.isDestroyed]).toEqual(['', false, false])
  })
})
