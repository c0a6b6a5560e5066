import { describe, expect, it, onTestFinished } from 'vitest'
import { answerRuleRequest } from '../../src/fronts/http/rule.ts'
import { UdpFront, type UdpFrontOptions } from '../../src/fronts/udp/server.ts'
import type { Rules } from '../../src/rules/rules.ts'
import { openRules, script, writeRules } from '../rules/instance.ts'
import { MemoryCounters } from '../rules/memory-counters.ts'
import { until } from '../support/until.ts'
import { UdpClient } from './client.ts'

/** The older server's own rules. */
const ORDER_ID = script({
  body: `
    local seq = counter:generate_counter()
    local new_id = string.format("O%02d%02d%02d%06d",now:year()%100 ,now:month(),now:day(),seq)
    return new_id`,
})
const TASK = script({
  body: `
    local seq = counter:generate_counter()
    local new_id = string.format("O%s%02d%02d%02d%06d",salt,now:year()%100 ,now:month(),now:day(),seq)
    return new_id`,
})

async function open(options: Partial<UdpFrontOptions> = {}, scripts: Record<string, string> = {}) {
  const store = new MemoryCounters()
  const rules = openRules({ store })
  await rules.load(await writeRules({ order_id: ORDER_ID, task: TASK, ...scripts }))
  const front = new UdpFront({ host: '127.0.0.1', port: 0, networks: [], rules, ...options })
  const { port } = await front.listen()
  onTestFinished(() => front.drain(0))
  return { rules, front, store, port, client: new UdpClient(port) }
}

describe('what a client of the older server sends and gets', () => {
  // The fields of the older server in its order, byte for byte, and the message besides.
  it('one after the other', async () => {
    const { client } = await open()
    expect(await client.askText('{"action":"get","rule_name":"order_id","app_name":"test"}')).toBe(
      '{"action":"get","app_name":"test","code":0,"data":"O261121000000","message":"success","rule_name":"order_id"}',
    )
    expect(
      await client.askText('{"action":"create","rule_name":"task","app_name":"test","salt":"xx","seq":7}'),
    ).toBe(
      '{"action":"create","app_name":"test","code":0,"data":"Oxx261121000000","message":"success","rule_name":"task","salt":"xx","seq":7}',
    )
    expect(await client.askText('{"action":"monitor","rule_name":"order_id","app_name":"test"}')).toBe(
      '{"action":"monitor","app_name":"test","code":0,"data":{"counter":0,"node_offset":0},"message":"ok","rule_name":"order_id"}',
    )
    expect(await client.askText('{"action":"monitor","rule_name":"order_id","app_name":"nope"}')).toBe(
      '{"action":"monitor","app_name":"nope","code":-1,"message":"not exist","rule_name":"order_id"}',
    )
    expect(await client.askText('{"action":"get","rule_name":"nope","app_name":"test"}')).toBe(
      '{"action":"get","app_name":"test","code":-1,"message":"system error","rule_name":"nope"}',
    )
    // Where that one is silent.
    expect(await client.askText('{"action":"get"}')).toBe(
      '{"action":"get","code":-1,"message":"BAD_REQUEST: rule_name is missing, or not a text"}',
    )
  })

  it('with text that JSON escapes', async () => {
    const { client } = await open()
    expect(
      await client.askText('{"action":"create","rule_name":"task","app_name":"ä\\"b","salt":"s","seq":"7"}'),
    ).toBe(
      '{"action":"create","app_name":"ä\\"b","code":0,"data":"Os261121000000","message":"success","rule_name":"task","salt":"s","seq":"7"}',
    )
  })
})

describe('a request', () => {
  it.each([
    '7',
    '"a"',
    '12345678901234567890',
    '-0.10',
    '1e400',
    'null',
    'true',
    '{"a": [1, {"seq": "}"}], "b": 12345678901234567890}',
    '[1,"\\"],",{}]',
  ])('gets its seq back as it was sent: %s', async (seq) => {
    const { client } = await open()
    const datagram = `{"x":{"seq":1},"seq":5,"action":"get","y":"\\"seq\\":2", "seq" : ${seq} ,"rule_name":"order_id","app_name":"a","z":[{"seq":3}]}`
    expect(await client.askText(datagram)).toBe(
      `{"action":"get","app_name":"a","code":0,"data":"O261121000000","message":"success","rule_name":"order_id","seq":${seq}}`,
    )
  })

  it.each([
    [
      'another action',
      { action: 'delete', rule_name: 'task', app_name: 'a' },
      /action must be get, create or monitor/,
    ],
    ['no action', { rule_name: 'task', app_name: 'a' }, /action must be/],
    ['no rule', { action: 'get', app_name: 'a' }, /rule_name is missing/],
    [
      'a rule that is a number',
      { action: 'get', rule_name: 1, app_name: 'a' },
      /rule_name is missing, or not a text/,
    ],
    ['no app_name', { action: 'get', rule_name: 'task' }, /app_name is missing/],
    [
      'a long app_name',
      { action: 'get', rule_name: 'task', app_name: 'x'.repeat(65) },
      /must not be longer than 64/,
    ],
    [
      'control characters in the salt',
      { action: 'get', rule_name: 'task', app_name: 'a', salt: 'a\nb' },
      /salt must be well-formed/,
    ],
    ['an empty object', {}, /rule_name is missing/],
  ])('that is a JSON object gets an error: %s', async (_, request, message) => {
    const { client } = await open()
    expect(await client.ask(request)).toMatchObject({ code: -1, message: expect.stringMatching(message) })
  })

  it.each(['', 'x', '{', '[]', '[{}]', '"get"', 'null', '1', '{"action":"get"', '{"a":}', '\0', ' '])(
    'that is no JSON object gets no answer: %j',
    async (datagram) => {
      const { client } = await open()
      client.send(datagram)
      // The next one is answered first.
      expect(await client.ask({ seq: 'after' })).toMatchObject({ seq: 'after' })
      expect(client.replies).toHaveLength(1)
    },
  )

  it('that is too long gets an error', async () => {
    const { client } = await open()
    const request = { action: 'get', rule_name: 'task', app_name: 'a', filler: 'x'.repeat(3000) }
    expect(await client.ask(request)).toMatchObject({
      code: -1,
      message: expect.stringContaining('must not be longer than 2048 bytes'),
    })
  })

  it('whose answer would be too long gets a short one', async () => {
    const { client } = await open()
    const seq = 'x'.repeat(1500)
    const reply = await client.askText(
      JSON.stringify({ action: 'get', rule_name: 'task', app_name: 'a', seq }),
    )
    expect(JSON.parse(reply)).toEqual({
      code: -1,
      message: expect.stringContaining('longer than 1400 bytes'),
    })
  })

  it('whose script fails gets the reason', async () => {
    const { client } = await open({}, { bad: script({ body: "error('no salt today')" }) })
    expect(await client.ask({ action: 'get', rule_name: 'bad', app_name: 'a' })).toMatchObject({
      code: -1,
      message: expect.stringMatching(/^RULE_FAILED: .*bad\.lua:6: no salt today$/),
    })
  })
})

describe('monitor', () => {
  it('tells what the store has of a counter that this instance does not know, and makes none', async () => {
    const { client, rules } = await open()
    expect(await client.ask({ action: 'monitor', rule_name: 'task', app_name: 'a' })).toMatchObject({
      message: 'not exist',
    })
    await rules.create('task', 'b', '')
    expect(await client.ask({ action: 'monitor', rule_name: 'task', app_name: 'a' })).toMatchObject({
      message: 'not exist',
    })
  })
})

describe('who may ask', () => {
  const request = { action: 'get', rule_name: 'task', app_name: 'a' }

  it.each([
    { host: '127.0.0.1', networks: ['127.0.0.0/8'] },
    { host: '127.0.0.1', networks: ['10.0.0.0/8', '127.0.0.1'] },
    { host: undefined, networks: ['127.0.0.1/32', 'fd00::/8'] },
    { host: 'localhost', networks: [] },
  ])('is in the networks: $networks, on $host', async (options) => {
    const { client } = await open(options)
    expect(await client.ask(request)).toMatchObject({ code: 0 })
  })

  it('gets no answer, and no id, elsewhere', async () => {
    const { client, rules } = await open({ networks: ['10.0.0.0/8', '::1'] })
    client.send(JSON.stringify(request))
    const [id] = await Promise.all([rules.create('task', 'a', '')])
    expect(id).toBe('O261121000000')
    expect(client.replies).toEqual([])
  })
})

describe('draining', () => {
  it('answers what came before, refuses the rest, and frees the port', async () => {
    const slow = script({ body: 'for i = 1, 6e5 do end return 1' })
    const { client, front, store, port } = await open({}, { slow })
    const ask = (seq: string) =>
      client.askText(JSON.stringify({ action: 'get', rule_name: 'slow', app_name: 'a', seq }), seq)
    // Together they take longer than it takes to look.
    const before = Array.from({ length: 20 }, (_, i) => ask(`before ${i}.`))
    await until(5_000, () => store.reservations > 0)
    const drained = front.drain(5_000)
    expect(JSON.parse(await ask('after'))).toMatchObject({
      code: -1,
      message: expect.stringContaining('SHUTTING_DOWN'),
    })
    for (const reply of await Promise.all(before))
      expect(JSON.parse(reply)).toMatchObject({ code: 0, data: '1' })
    await drained
    const next = new UdpFront({ host: '127.0.0.1', port, networks: [], rules: openRules() })
    expect((await next.listen()).port).toBe(port)
    await next.drain(0)
  })
})

describe('GET /rule', () => {
  const get = (rules: Rules, query: string, accept?: string) => answerRuleRequest(rules, query, accept, 100)

  it('answers as the UDP front does, with real status codes', async () => {
    const { rules } = await open()
    const reply = await get(rules, 'rule_name=task&app_name=a&salt=x%20y&seq=5')
    expect(reply).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: '{"app_name":"a","code":0,"data":"Ox y261121000000","message":"success","rule_name":"task","salt":"x y","seq":"5"}',
      ids: 1,
    })
    expect((await get(rules, 'action=monitor&rule_name=task&app_name=a')).body).toContain(
      '"data":{"counter":0,"node_offset":0}',
    )
  })

  it('gives several with count, and lines with format=text', async () => {
    const { rules } = await open()
    expect((await get(rules, 'rule_name=order_id&app_name=a&count=2')).body).toBe(
      '{"app_name":"a","code":0,"data":"O261121000000","ids":["O261121000000","O261121000001"],"message":"success","rule_name":"order_id"}',
    )
    expect((await get(rules, 'rule_name=order_id&app_name=a&count=2&format=text')).body).toBe(
      'O261121000002\nO261121000003\n',
    )
    expect((await get(rules, 'rule_name=order_id&app_name=a', 'text/plain')).body).toBe('O261121000004\n')
  })

  it.each([
    ['rule_name=nope&app_name=a', 404, 'UNKNOWN_RULE', 'system error'],
    ['action=monitor&rule_name=task&app_name=nope', 404, 'UNKNOWN_RULE', 'not exist'],
    ['rule_name=task', 400, 'BAD_REQUEST', 'app_name is missing'],
    ['rule_name=task&app_name=a&count=101', 400, 'BAD_REQUEST', 'count must be a whole number from 1 to 100'],
    ['rule_name=task&app_name=a&format=xml', 400, 'BAD_REQUEST', 'format must be'],
    ['rule_name=task&app_name=a&action=x', 400, 'BAD_REQUEST', 'action must be'],
    ['rule_name=bad&app_name=a', 500, 'RULE_FAILED', 'returned a nil'],
    ['rule_name=small&app_name=a&count=3', 503, 'EXHAUSTED', 'max_counter() is 1'],
  ])('%s: %s %s', async (query, status, code, message) => {
    const { rules } = await open({}, { bad: script({ body: 'return' }), small: script({ max: '1' }) })
    const reply = await get(rules, query)
    expect(reply.status).toBe(status)
    expect(reply.headers['seqsvr-error']).toBe(code)
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(JSON.parse(reply.body)).toMatchObject({ code: -1, message: expect.stringContaining(message) })
    expect((await get(rules, query, 'text/plain')).body).toMatch(new RegExp(`^${code}: .*\n$`))
  })
})
