import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, ask, startInstance } from './instance.ts'

const authorization = `Bearer ${ADMIN_TOKEN}`

/** Status and JSON of one request with the token. */
async function admin(url: string, method = 'GET', body?: unknown): Promise<[number, unknown]> {
  const response = await fetch(url, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return [response.status, await response.json()]
}

const ok = (data: unknown) => ({ code: 0, msg: 'ok', data })
const failed = (code: string) =>
  expect.objectContaining({ code: -1, msg: expect.stringMatching(`^${code}: `) })

describe('the admin API', () => {
  it('is not there without a token in the configuration', async () => {
    const { url } = await startInstance({}, false)
    expect((await admin(`${url}/admin/sequences`))[0]).toBe(404)
  })

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['the token in another scheme', { authorization: `Basic ${ADMIN_TOKEN}` }],
    ['part of the token', { authorization: `Bearer ${ADMIN_TOKEN.slice(0, -1)}` }],
  ])('refuses %s', async (_what, headers) => {
    const { url } = await startInstance()
    for (const [method, path] of [
      ['GET', '/admin/sequences'],
      ['POST', '/admin/sequences'],
      ['POST', '/admin/advance'],
      ['DELETE', '/admin/sequences/x'],
    ]) {
      const response = await fetch(url + path, {
        method: method as string,
        headers: headers as Record<string, string>,
      })
      expect([401, 400]).toContain(response.status)
      expect(await response.json()).toEqual(failed('UNAUTHORIZED'))
    }
  })

  it('tells a wrong token from none, and the log of the wrong one', async () => {
    const { url, events } = await startInstance()
    const messageFor = async (headers: Record<string, string>) =>
      ((await (await fetch(`${url}/admin/sequences`, { headers })).json()) as { msg: string }).msg
    expect(await messageFor({})).toBe('UNAUTHORIZED: send the header Authorization: Bearer <admin token>')
    expect(events).toEqual([])
    expect(await messageFor({ authorization: 'Bearer wrong' })).toBe('UNAUTHORIZED: the token is wrong')
    expect(events).toEqual([{ type: 'wrong token', by: 'admin API' }])
  })

  it.each([
    ['', {}, 'name is missing'],
    ['', { name: 5 }, 'name must be text'],
    ['', { name: 'x', start: 'one' }, 'start must be a whole number from 0 to 9223372036854775807'],
    ['', { name: 'x', start: -1 }, 'start must be a whole number from 0 to 9223372036854775807'],
    ['', { name: 'x', start: 2 ** 53 }, 'start must be in quotes: JSON numbers are rounded above 2^53-1'],
    ['', { name: 'x', step: 1.5 }, 'step must be a whole number from 1 to 1000000000'],
    ['', { name: 'x', step: 'ten' }, 'step must be a whole number from 1 to 1000000000'],
    ['', { nam: 'x' }, 'name is missing; unknown field "nam"'],
    ['', [], 'the body must be a JSON object'],
    [
      '/orders/advance',
      { byy: 1 },
      'the body must be {"to":"N"} or {"by":"N"}, where N is a whole number from 0 to 9223372036854775807',
    ],
  ])('says in words what is wrong with a body: %s %j', async (path, body, words) => {
    const { url } = await startInstance()
    expect(await admin(`${url}/admin/sequences${path}`, 'POST', body)).toEqual([
      400,
      { code: -1, msg: `BAD_REQUEST: ${words}`, data: null },
    ])
  })

  it('makes, lists, advances and retires sequences, and serves each change at once', async () => {
    const { url, events } = await startInstance()
    const take = async () => JSON.parse((await ask(`${url}/alloc?app_tag=orders`))[1]).id
    expect(await admin(`${url}/admin/sequences`, 'POST', { name: 'orders', start: 500, step: 100 })).toEqual([
      201,
      ok({ name: 'orders' }),
    ])
    expect(await take()).toBe(500)
    expect(await admin(`${url}/admin/sequences`)).toEqual([
      200,
      ok({
        sequences: [
          { name: 'orders', max_id: '600', step: 100, held: { left: 99, waiting: 0, fault: null } },
        ],
      }),
    ])
    expect(await admin(`${url}/admin/sequences/orders/advance`, 'POST', { to: '2000' })).toEqual([
      200,
      ok({ name: 'orders', max_id: '2000' }),
    ])
    expect(await take()).toBe(2000)
    expect(await admin(`${url}/admin/sequences/orders/advance`, 'POST', { by: 1000 })).toEqual([
      200,
      ok({ name: 'orders', max_id: expect.stringMatching(/^\d+$/) }),
    ])
    expect(await take()).toBeGreaterThanOrEqual(3100)
    expect(await admin(`${url}/admin/sequences/orders`, 'DELETE')).toEqual([200, ok({ name: 'orders' })])
    const by = 'admin API'
    expect(events).toEqual([
      { type: 'created', by, name: 'orders', numbers: { start: '500', step: 100 } },
      { type: 'advanced', by, name: 'orders', numbers: { max_id: '2000' } },
      { type: 'advanced', by, name: 'orders', numbers: { max_id: expect.stringMatching(/^\d+$/) } },
      { type: 'retired', by, name: 'orders', numbers: {} },
    ])
    expect(await ask(`${url}/alloc?app_tag=orders`)).toEqual([
      500,
      '{"resp_code":-1,"msg":"app_tag not found","id":0}',
    ])
  })

  it('I1: a retired name that is made again starts above all that it served', async () => {
    const { url } = await startInstance()
    await admin(`${url}/admin/sequences`, 'POST', { name: 'orders', step: 10 })
    const served = JSON.parse((await ask(`${url}/alloc?app_tag=orders&count=25`))[1]).ids
    await admin(`${url}/admin/sequences/orders`, 'DELETE')
    await admin(`${url}/admin/sequences`, 'POST', { name: 'orders', start: 1, step: 10 })
    expect(JSON.parse((await ask(`${url}/alloc?app_tag=orders`))[1]).id).toBeGreaterThan(Math.max(...served))
  })

  it('advances everything at once, the generator too', async () => {
    const { url, events } = await startInstance()
    for (const name of ['a', 'b']) await admin(`${url}/admin/sequences`, 'POST', { name })
    expect(await admin(`${url}/admin/advance`, 'POST', { by: '1000000' })).toEqual([
      200,
      ok({ advanced: 2, failures: [] }),
    ])
    expect(events.at(-1)).toEqual({
      type: 'advanced',
      by: 'admin API',
      name: null,
      numbers: { ids: '1000000', advanced: 2, failures: 0 },
    })
    expect(JSON.parse((await ask(`${url}/alloc?app_tag=a`))[1]).id).toBe(1_000_001)
    expect(JSON.parse((await ask(`${url}/new`))[1]).data.id).toBeGreaterThanOrEqual(1_000_000)
  })

  it.each([
    ['PUT', '/admin/sequences', 'GET, POST, HEAD, OPTIONS'],
    ['GET', '/admin/sequences/a%2Fb', 'DELETE, OPTIONS'],
    ['DELETE', '/admin/sequences/orders/advance', 'POST, OPTIONS'],
    ['GET', '/admin/advance', 'POST, OPTIONS'],
  ])('%s %s gets 405 with the methods that there are', async (method, path, allow) => {
    const { url } = await startInstance()
    const response = await fetch(url + path, { method, headers: { authorization } })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
    expect(await response.json()).toMatchObject({ code: -1, data: null })
    const options = await fetch(url + path, { method: 'OPTIONS', headers: { authorization } })
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow])
    // Who has no token learns nothing of what is there.
    expect((await fetch(url + path, { method })).status).toBe(401)
  })

  it('a path that does not exist gets 404', async () => {
    const { url } = await startInstance()
    expect(await admin(`${url}/admin/nothing`, 'DELETE')).toEqual([
      404,
      { code: -1, msg: expect.stringMatching(/^no such path; there are \/, \/new, [^:]*$/), data: null },
    ])
  })

  it('takes names that must be escaped in a path', async () => {
    const { url, segments } = await startInstance()
    await segments.create('a/b c?d%', 1n, 10)
    const path = `${url}/admin/sequences/${encodeURIComponent('a/b c?d%')}`
    expect(await admin(`${path}/advance`, 'POST', { to: 50 })).toEqual([
      200,
      ok({ name: 'a/b c?d%', max_id: '50' }),
    ])
    expect(await admin(path, 'DELETE')).toEqual([200, ok({ name: 'a/b c?d%' })])
  })

  it('I6: keeps numbers exact, and refuses those that are rounded on the way', async () => {
    const { url } = await startInstance()
    await admin(`${url}/admin/sequences`, 'POST', { name: 'big', start: '9223372036854775807' })
    expect((await ask(`${url}/alloc?app_tag=big`))[1]).toBe(
      '{"resp_code":0,"msg":"success","id":9223372036854775807}',
    )
    expect(await admin(`${url}/admin/sequences`, 'POST', { name: 'x', start: 2 ** 53 })).toEqual([
      400,
      failed('BAD_REQUEST'),
    ])
  })

  it.each([
    ['an empty name', 'POST', '', { name: '' }, 400, 'BAD_REQUEST'],
    ['a step of 0', 'POST', '', { name: 'x', step: 0 }, 400, 'BAD_REQUEST'],
    ['a negative start', 'POST', '', { name: 'x', start: -1 }, 400, 'BAD_REQUEST'],
    ['a start past the end', 'POST', '', { name: 'x', start: '9223372036854775808' }, 400, 'BAD_REQUEST'],
    ['an unknown field', 'POST', '', { name: 'x', stepp: 1 }, 400, 'BAD_REQUEST'],
    ['a name that exists', 'POST', '', { name: 'taken' }, 409, 'SEQUENCE_EXISTS'],
    ['an advance by 0', 'POST', '/taken/advance', { by: 0 }, 400, 'BAD_REQUEST'],
    ['an advance to and by', 'POST', '/taken/advance', { to: 1, by: 1 }, 400, 'BAD_REQUEST'],
    ['an advance of nothing', 'POST', '/nope/advance', { by: 1 }, 404, 'UNKNOWN_SEQUENCE'],
    ['a retirement of nothing', 'DELETE', '/nope', undefined, 404, 'UNKNOWN_SEQUENCE'],
  ])('refuses %s', async (_what, method, path, body, status, code) => {
    const { url, segments } = await startInstance()
    await segments.create('taken', 1n, 10)
    expect(await admin(`${url}/admin/sequences${path}`, method, body)).toEqual([status, failed(code)])
  })

  it('a body that breaks off harms nobody', async () => {
    const { url } = await startInstance()
    for (const framing of [
      'Content-Length: 100\r\n\r\n{"by"',
      'Transfer-Encoding: chunked\r\n\r\n5\r\n{"by"\r\n',
    ]) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(`POST /admin/advance HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n${framing}`)
      await once(socket, 'connect')
      expect((await ask(`${url}/livez`))[0]).toBe(200)
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    expect((await ask(`${url}/new`))[0]).toBe(200)
  })

  it('refuses what is not JSON, and what is too large', async () => {
    const { url } = await startInstance()
    const send = (body: string) =>
      ask(`${url}/admin/sequences`, { method: 'POST', headers: { authorization }, body })
    expect((await send('{'))[0]).toBe(400)
    expect((await send(`{"name":"${'x'.repeat(20_000)}"}`))[0]).toBe(413)
  })
})
