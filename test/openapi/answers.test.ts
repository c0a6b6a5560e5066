import { connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { ADMIN_TOKEN, ask, startInstance } from '../http/instance.ts'
import { script, writeRules } from '../rules/instance.ts'
import { Reference } from './reference.ts'

const authorization = `Bearer ${ADMIN_TOKEN}`

type Form = Readonly<Record<string, string>>
/** A request, by the path that documents it, and the status that it should get. */
type Exchange = readonly [status: number, method: string, path: string, target: string, init?: RequestInit]

const form = (fields: Form): RequestInit => ({ body: new URLSearchParams(fields) })
const admin = (body?: unknown): RequestInit => ({
  headers: { authorization },
  ...(body !== undefined && { body: JSON.stringify(body) }),
})
const TEXT: RequestInit = { headers: { accept: 'text/plain' } }
const LARGE = 'x'.repeat(20_000)

/** Both ways to ask an id route, the POST with all in its form. */
function both(status: number, path: string, fields: Form): Exchange[] {
  return [
    [status, 'get', path, `${path}?${new URLSearchParams(fields)}`],
    [status, 'post', path, path, form(fields)],
  ]
}

const ORDERS = { app_tag: 'orders' }
const RULE = { rule_name: 'good', app_name: 'shop' }

const healthy: readonly Exchange[] = [
  ...both(200, '/new', {}),
  ...both(200, '/new', { count: '3' }),
  ...both(200, '/new', { count: '3', format: 'string' }),
  ...both(200, '/new', { count: '3', format: 'text' }),
  [200, 'get', '/new', '/new', TEXT],
  ...both(400, '/new', { count: '0' }),
  ...both(400, '/new', { count: '10001', format: 'text' }),
  [413, 'post', '/new', '/new', form({ count: LARGE })],
  ...both(200, '/alloc', ORDERS),
  ...both(200, '/alloc', { ...ORDERS, count: '3' }),
  ...both(200, '/alloc', { ...ORDERS, format: 'string' }),
  ...both(200, '/alloc', { ...ORDERS, format: 'text' }),
  ...both(400, '/alloc', { ...ORDERS, count: 'x' }),
  ...both(400, '/alloc', { ...ORDERS, count: 'x', format: 'text' }),
  ...both(500, '/alloc', {}),
  ...both(500, '/alloc', { app_tag: 'nobody' }),
  ...both(500, '/alloc', { app_tag: 'nobody', format: 'text' }),
  [413, 'post', '/alloc', '/alloc', form({ app_tag: LARGE })],
  ...both(200, '/health', ORDERS),
  ...both(400, '/health', { app_tag: 'a\tb' }),
  ...both(500, '/health', {}),
  ...both(500, '/health', { app_tag: 'nobody' }),
  [413, 'post', '/health', '/health', form({ app_tag: LARGE })],
  ...both(200, '/rule', RULE),
  ...both(200, '/rule', { ...RULE, count: '3', salt: 's', seq: '7', action: 'create' }),
  ...both(200, '/rule', { ...RULE, action: 'monitor' }),
  ...both(200, '/rule', { ...RULE, format: 'text' }),
  ...both(400, '/rule', { rule_name: 'good' }),
  ...both(400, '/rule', { ...RULE, count: '0', format: 'text' }),
  ...both(404, '/rule', { ...RULE, rule_name: 'nobody' }),
  ...both(404, '/rule', { ...RULE, app_name: 'nobody', action: 'monitor', format: 'text' }),
  ...both(500, '/rule', { ...RULE, rule_name: 'bad' }),
  ...both(500, '/rule', { ...RULE, rule_name: 'bad', format: 'text' }),
  [413, 'post', '/rule', '/rule', form({ salt: LARGE })],
  [200, 'get', '/livez', '/livez'],
  [200, 'get', '/readyz', '/readyz'],
  [200, 'get', '/metrics', '/metrics'],
  [200, 'get', '/', '/'],
  [200, 'get', '/', '/', { headers: { accept: 'text/html' } }],

  [200, 'get', '/admin/sequences', '/admin/sequences?limit=10', admin()],
  [400, 'get', '/admin/sequences', '/admin/sequences?limit=0', admin()],
  [401, 'get', '/admin/sequences', '/admin/sequences'],
  [201, 'post', '/admin/sequences', '/admin/sequences', admin({ name: 'made', start: '5', step: 10 })],
  [400, 'post', '/admin/sequences', '/admin/sequences', admin({ name: '' })],
  [400, 'post', '/admin/sequences', '/admin/sequences', { headers: { authorization: 'Basic x' } }],
  [401, 'post', '/admin/sequences', '/admin/sequences', { headers: { authorization: 'Bearer wrong' } }],
  [409, 'post', '/admin/sequences', '/admin/sequences', admin({ name: 'orders' })],
  [413, 'post', '/admin/sequences', '/admin/sequences', admin(LARGE)],
  ...(['to', 'by'] as const).map(
    (how): Exchange => [
      200,
      'post',
      '/admin/sequences/{name}/advance',
      '/admin/sequences/made/advance',
      admin({ [how]: '90' }),
    ],
  ),
  [400, 'post', '/admin/sequences/{name}/advance', '/admin/sequences/made/advance', admin({ by: 0 })],
  [401, 'post', '/admin/sequences/{name}/advance', '/admin/sequences/made/advance'],
  [404, 'post', '/admin/sequences/{name}/advance', '/admin/sequences/nobody/advance', admin({ by: 1 })],
  [413, 'post', '/admin/sequences/{name}/advance', '/admin/sequences/made/advance', admin(LARGE)],
  [200, 'delete', '/admin/sequences/{name}', '/admin/sequences/made', admin()],
  [400, 'delete', '/admin/sequences/{name}', '/admin/sequences/a%09b', admin()],
  [401, 'delete', '/admin/sequences/{name}', '/admin/sequences/made'],
  [404, 'delete', '/admin/sequences/{name}', '/admin/sequences/made', admin()],
  [200, 'post', '/admin/advance', '/admin/advance', admin({ by: 1 })],
  [400, 'post', '/admin/advance', '/admin/advance', admin({ to: 1 })],
  [401, 'post', '/admin/advance', '/admin/advance'],
  [413, 'post', '/admin/advance', '/admin/advance', admin(LARGE)],
  [200, 'get', '/admin/whois', '/admin/whois?id=100', admin()],
  [200, 'get', '/admin/whois', '/admin/whois?id=1&sequence=orders', admin()],
  [200, 'get', '/admin/whois', '/admin/whois?id=9223372036854775807', admin()],
  [400, 'get', '/admin/whois', '/admin/whois?id=x', admin()],
  [401, 'get', '/admin/whois', '/admin/whois?id=100'],

  [200, 'get', '/openapi.json', '/openapi.json'],
  [200, 'get', '/docs', '/docs'],
  ...['swagger-ui-bundle.js', 'swagger-ui.css', 'start.js', 'LICENSE'].map(
    (file): Exchange => [200, 'get', '/docs/{file}', `/docs/${file}`],
  ),
  [404, 'get', '/docs/{file}', '/docs/nothing'],
]

/** With a store that never answers, and an instance that should get no requests. */
const down: readonly Exchange[] = [
  ...both(503, '/new', {}),
  ...both(503, '/new', { count: '3', format: 'text' }),
  ...both(500, '/alloc', ORDERS),
  ...both(500, '/health', ORDERS),
  ...both(503, '/rule', RULE),
  ...both(503, '/rule', { ...RULE, format: 'text' }),
  [200, 'get', '/livez', '/livez'],
  [503, 'get', '/readyz', '/readyz'],
  [503, 'get', '/admin/sequences', '/admin/sequences', admin()],
  [503, 'post', '/admin/sequences', '/admin/sequences', admin({ name: 'made' })],
  [503, 'post', '/admin/sequences/{name}/advance', '/admin/sequences/made/advance', admin({ by: 1 })],
  [503, 'delete', '/admin/sequences/{name}', '/admin/sequences/made', admin()],
  [503, 'post', '/admin/advance', '/admin/advance', admin({ by: 1 })],
  [503, 'get', '/admin/whois', '/admin/whois?id=100', admin()],
]

const MANY = { count: '1000' }

/** While clients have not read so much that large replies are no longer made. */
const unread: readonly Exchange[] = [
  ...both(503, '/new', MANY),
  ...both(503, '/alloc', { ...ORDERS, ...MANY }),
  [503, 'post', '/health', '/health', form({ ...ORDERS, ...MANY })],
  ...both(503, '/rule', { ...RULE, ...MANY }),
]

it('every answer is as the document has it, and every documented answer is seen', {
  timeout: 120_000,
}, async () => {
  const { url, segments, rules } = await startInstance()
  await segments.create('orders', 1n, 100)
  await rules.load(await writeRules({ good: script(), bad: script({ body: "error('no')" }) }))
  const reference = new Reference(JSON.parse((await ask(`${url}/openapi.json`))[1]))
  const problems: string[] = []
  const check = async (base: string, [status, method, path, target, init]: Exchange) => {
    const response = await fetch(base + target, { method: method.toUpperCase(), ...init })
    const found = await reference.problemsOf(method, path, response)
    if (response.status !== status) found.push(`${response.status} and not ${status}`)
    problems.push(...found.map((problem) => `${method} ${target} ${status}: ${problem}`))
    return response
  }

  for (const exchange of healthy) await check(url, exchange)
  for (const path of ['/openapi.json', '/docs', '/docs/start.js']) {
    const etag = (await fetch(url + path)).headers.get('etag') as string
    const documented = path.startsWith('/docs/') ? '/docs/{file}' : path
    await check(url, [304, 'get', documented, path, { headers: { 'if-none-match': etag } }])
  }
  // Another method than a path takes is what is documented as every operation's default.
  for (const { path, method } of reference.operations()) {
    const target = path.replace(/\{\w+\}/, 'x')
    const response = await fetch(url + target, { method: 'PUT', headers: { authorization } })
    expect([target, response.status]).toEqual([target, 405])
    problems.push(...(await reference.problemsOf(method, path, response)))
  }

  const out = await startInstance({ wait_ms_max: '50' }, true, {
    file: '/dev/null/seqsvr.sqlite',
    readiness: () => 'draining',
  })
  await out.rules.load(await writeRules({ good: script() }))
  for (const exchange of down) await check(out.url, exchange)

  const full = await startInstance({ step: '10000000' })
  const sockets: Socket[] = []
  for (const [status, method, path, target, init] of unread) {
    const once = () => fetch(full.url + target, { method: method.toUpperCase(), ...init })
    let response = await once()
    // Those that read nothing are cut off in time, so that there must be new ones.
    for (; response.status !== status; response = await once()) sockets.push(readNothing(full.url))
    problems.push(...(await reference.problemsOf(method, path, response)))
  }
  for (const socket of sockets) socket.destroy()

  expect(problems).toEqual([])
  expect(reference.unseen).toEqual([])
})

/** A client that asks for much and reads nothing. */
function readNothing(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.pause()
  socket.write('GET /new?count=10000&format=string HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(90))
  return socket
}
