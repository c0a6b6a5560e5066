import { describe, expect, it } from 'vitest'
import { ask, startInstance } from './instance.ts'

const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
})

describe('/alloc and /health, as the older servers of segments answer', () => {
  it('replays what they were seen to answer', async () => {
    const { url, segments } = await startInstance()
    await segments.create('test_business', 0n, 100_000)
    expect(await ask(`${url}/alloc?app_tag=test_business`)).toEqual([
      200,
      '{"resp_code":0,"msg":"success","id":1}',
    ])
    expect(await ask(`${url}/alloc`)).toEqual([500, '{"resp_code":-1,"msg":"need app_tag param","id":0}'])
    expect(await ask(`${url}/alloc?app_tag=`)).toEqual([
      500,
      '{"resp_code":-1,"msg":"need app_tag param","id":0}',
    ])
    expect(await ask(`${url}/alloc?app_tag=nope`)).toEqual([
      500,
      '{"resp_code":-1,"msg":"app_tag not found","id":0}',
    ])
    expect(await ask(`${url}/alloc`, form({ app_tag: 'test_business' }))).toEqual([
      200,
      '{"resp_code":0,"msg":"success","id":2}',
    ])
    expect(await ask(`${url}/health?app_tag=test_business`)).toEqual([
      200,
      '{"resp_code":0,"msg":"success","left":99997}',
    ])
    expect(await ask(`${url}/health`)).toEqual([500, '{"resp_code":-1,"msg":"need app_tag param","left":0}'])
    expect(await ask(`${url}/health?app_tag=nope`)).toEqual([
      500,
      '{"resp_code":-1,"msg":"app_tag not found","left":0}',
    ])
  })

  it('/health of a tag that is not in memory loads it', async () => {
    const { url, segments } = await startInstance()
    await segments.create('orders', 1n, 500)
    expect(await ask(`${url}/health?app_tag=orders`)).toEqual([
      200,
      '{"resp_code":0,"msg":"success","left":500}',
    ])
    expect(await ask(`${url}/alloc?app_tag=orders`)).toEqual([200, '{"resp_code":0,"msg":"success","id":1}'])
  })

  it.each([
    ['count=3', '{"resp_code":0,"msg":"success","id":7,"ids":[7,8,9]}'],
    ['count=2&format=string', '{"resp_code":0,"msg":"success","id":"7","ids":["7","8"]}'],
    ['format=string', '{"resp_code":0,"msg":"success","id":"7"}'],
    ['format=text&count=2', '7\n8\n'],
  ])('%s', async (params, body) => {
    const { url, segments } = await startInstance()
    await segments.create('orders', 7n, 100)
    const response = await fetch(`${url}/alloc?app_tag=orders&${params}`)
    expect([response.status, await response.text(), response.headers.get('cache-control')]).toEqual([
      200,
      body,
      'no-store',
    ])
  })

  it('a bad count is refused with the limit, in the words of this route', async () => {
    const { url, segments } = await startInstance()
    await segments.create('orders', 1n, 100)
    expect(await ask(`${url}/alloc?app_tag=orders&count=0`)).toEqual([
      400,
      '{"resp_code":-1,"msg":"count must be a whole number from 1 to 10000","id":0}',
    ])
  })

  it.each([
    ['a space', 'a b'],
    ['a plus sign', 'a+b'],
    ['other scripts', '订单 😀'],
    ['SQL', "x'; DROP TABLE segments; --"],
    ['a percent sign', '100%'],
  ])('takes a tag with %s, escaped in the target or in a form', async (_what, tag) => {
    const { url, segments } = await startInstance()
    await segments.create(tag, 1n, 100)
    expect((await ask(`${url}/alloc?app_tag=${encodeURIComponent(tag)}`))[1]).toContain('"id":1}')
    expect((await ask(`${url}/alloc`, form({ app_tag: tag })))[1]).toContain('"id":2}')
  })

  it.each([
    ['a control character', 'a%00b'],
    ['129 characters', 'x'.repeat(129)],
  ])('refuses a tag with %s', async (_what, tag) => {
    const { url } = await startInstance()
    expect((await ask(`${url}/alloc?app_tag=${tag}`))[0]).toBe(400)
  })

  it('tells an unknown tag from a store that gives nothing', async () => {
    const { url, segments } = await startInstance()
    await segments.create('done', 9223372036854775807n, 100)
    expect(await ask(`${url}/alloc?app_tag=done`)).toEqual([
      200,
      '{"resp_code":0,"msg":"success","id":9223372036854775807}',
    ])
    const refused = await fetch(`${url}/alloc?app_tag=done`)
    expect([refused.status, await refused.text(), refused.headers.get('seqsvr-error')]).toEqual([
      500,
      '{"resp_code":-1,"msg":"no available id","id":0}',
      'EXHAUSTED',
    ])
    expect((await fetch(`${url}/alloc?app_tag=nope`)).headers.get('seqsvr-error')).toBe('UNKNOWN_SEQUENCE')
  })

  it('HEAD uses up no id', async () => {
    const { url, segments } = await startInstance()
    await segments.create('orders', 1n, 100)
    expect(await ask(`${url}/alloc?app_tag=orders`, { method: 'HEAD' })).toEqual([200, ''])
    expect((await ask(`${url}/alloc?app_tag=orders`))[1]).toContain('"id":1}')
  })
})
