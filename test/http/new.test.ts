import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { ask, startInstance } from './instance.ts'

describe('/new', () => {
  it.each([
    ['/new', {}, '{"code":0,"msg":"ok","data":{"id":100}}'],
    ['/new?count=3', {}, '{"code":0,"msg":"ok","data":{"id":100,"ids":[100,101,102]}}'],
    ['/new?count=1', {}, '{"code":0,"msg":"ok","data":{"id":100,"ids":[100]}}'],
    ['/new?format=string', {}, '{"code":0,"msg":"ok","data":{"id":"100"}}'],
    ['/new?format=string&count=2', {}, '{"code":0,"msg":"ok","data":{"id":"100","ids":["100","101"]}}'],
    ['/new?format=text', {}, '100\n'],
    ['/new?format=text&count=3', {}, '100\n101\n102\n'],
    ['/new', { accept: 'text/plain' }, '100\n'],
    ['/new', { accept: 'application/json, text/plain, */*' }, '{"code":0,"msg":"ok","data":{"id":100}}'],
    ['/new?format=json', { accept: 'text/plain' }, '{"code":0,"msg":"ok","data":{"id":100}}'],
  ])('%s with %o', async (path, headers, body) => {
    const { url } = await startInstance()
    const response = await fetch(url + path, { headers: headers as Record<string, string> })
    expect([response.status, await response.text()]).toEqual([200, body])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('content-type')).toBe(
      body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8',
    )
  })

  it('answers POST, with and without a form', async () => {
    const { url } = await startInstance()
    expect(await ask(`${url}/new`, { method: 'POST' })).toEqual([
      200,
      '{"code":0,"msg":"ok","data":{"id":100}}',
    ])
    const form = new URLSearchParams({ count: '2' })
    expect(await ask(`${url}/new`, { method: 'POST', body: form })).toEqual([
      200,
      '{"code":0,"msg":"ok","data":{"id":101,"ids":[101,102]}}',
    ])
  })

  it.each(['0', '-1', '1.5', '1e9', '1e2', '10001', '99999999999999999999', 'abc', '', ' 1', '0x10', '+1'])(
    'count=%s is refused with the limit, and uses up no id',
    async (count) => {
      const { url } = await startInstance()
      expect(await ask(`${url}/new?count=${encodeURIComponent(count)}`)).toEqual([
        400,
        '{"code":-1,"msg":"BAD_REQUEST: count must be a whole number from 1 to 10000","data":null}',
      ])
      expect((await ask(`${url}/new`))[1]).toContain('"id":100}')
    },
  )

  it('count up to the limit spans leases, all or nothing', async () => {
    const { url } = await startInstance()
    const [status, body] = await ask(`${url}/new?count=10000`)
    const { ids } = JSON.parse(body).data
    expect([status, ids.length, new Set(ids).size, ids[0]]).toEqual([200, 10_000, 10_000, 100])
  })

  it('an unknown format is refused', async () => {
    const { url } = await startInstance()
    expect(await ask(`${url}/new?format=xml`)).toEqual([
      400,
      '{"code":-1,"msg":"BAD_REQUEST: format must be json, string or text","data":null}',
    ])
  })

  it('HEAD and OPTIONS use up no id', async () => {
    const { url } = await startInstance()
    expect(await ask(`${url}/new`, { method: 'HEAD' })).toEqual([200, ''])
    const options = await fetch(`${url}/new`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
    expect((await ask(`${url}/new`))[1]).toContain('"id":100}')
  })

  it('other methods and paths are refused in JSON', async () => {
    const { url } = await startInstance()
    const deleted = await fetch(`${url}/new`, { method: 'DELETE' })
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD, OPTIONS'])
    expect(await deleted.json()).toMatchObject({ code: -1, data: null })
    const nowhere = await fetch(`${url}/nowhere`)
    expect([nowhere.status, await nowhere.json()]).toEqual([
      404,
      expect.objectContaining({ code: -1, data: null }),
    ])
  })
})

describe('clients that misbehave', () => {
  it('a POST that breaks off in its body harms nobody', async () => {
    const { url } = await startInstance()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      'POST /new HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ncou',
    )
    await once(socket, 'connect')
    expect((await ask(`${url}/livez`))[0]).toBe(200)
    socket.resetAndDestroy()
    await once(socket, 'close')
    expect((await ask(`${url}/new`))[0]).toBe(200)
  })

  it('I9: a client that pipelines large requests and never reads is refused more, and nobody else is harmed', async () => {
    const { url } = await startInstance({ step: '10000000' })
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('error', () => {})
      socket.pause()
      socket.write('GET /new?count=10000&format=string HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100))
      return socket
    })
    await until(20_000, async () =>
      /^seqsvr_request_failures_total\{front="http",code="TOO_MANY_WAITERS"\} [1-9]/m.test(
        (await ask(`${url}/metrics`))[1] as string,
      ),
    )
    expect((await ask(`${url}/new?count=10`))[0]).toBe(200)
    expect((await ask(`${url}/new`))[0]).toBe(200)
    for (const socket of sockets) socket.destroy()
    await until(20_000, async () => (await fetch(`${url}/new?count=200`)).status === 200)
  })

  it('a form that is too large is refused', async () => {
    const { url } = await startInstance()
    const body = new URLSearchParams({ app_tag: 'x'.repeat(10_000) })
    expect(await ask(`${url}/alloc`, { method: 'POST', body })).toEqual([
      413,
      '{"code":-1,"msg":"the form is too large: at most 4096 bytes","data":null}',
    ])
  })

  it.each([
    ['a Host that is none', 'GET /new HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['no Host', 'GET /new HTTP/1.1\r\n\r\n'],
    ['a target that is none', 'GET new HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['headers that are too long', `GET /new HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(9000)}\r\n\r\n`],
  ])('%s gets an error and no id', async (_name, request) => {
    const { url } = await startInstance()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.end(request)
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect((await ask(`${url}/new`))[1]).toContain('"id":100}')
  })
})
