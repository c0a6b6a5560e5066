import { describe, expect, it, onTestFinished } from 'vitest'
import { type Id, IdClient, IdClientError, type IdClientOptions } from '../../src/client/id-client.ts'
import { startInstance } from '../http/instance.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { type Answerer, answering, countingFrom, inTurn, startScriptedServer } from './scripted-server.ts'

function clientOf(options: IdClientOptions): IdClient {
  const client = new IdClient(options)
  onTestFinished(() => client.close())
  return client
}

async function codeOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => 'no error',
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(IdClientError)
  return (error as IdClientError).code
}

function many(count: number, client: IdClient): Promise<Id[]> {
  return Promise.all(Array.from({ length: count }, () => client.next()))
}

const never: Answerer = () => {}

describe('an IdClient on an instance', () => {
  it('gives the ids of the generator in order, waiting or not', async () => {
    const { url } = await startInstance()
    const client = clientOf({ servers: [url] })
    expect(client.tryNext()).toBeUndefined()
    expect(await client.next()).toBe(100)
    expect(await many(5, client)).toEqual([101, 102, 103, 104, 105])
    let held: Id | undefined
    await until(5_000, () => {
      held = client.tryNext()
      return held !== undefined
    })
    expect(held).toBe(106)
  })

  it('gives the ids of a named sequence, whatever its name', async () => {
    const { url, segments } = await startInstance()
    await segments.create('a b/ü&count=3', 1n, 1_000)
    const client = clientOf({ servers: [`${url}/`], sequence: 'a b/ü&count=3' })
    expect(await many(3, client)).toEqual([1, 2, 3])
  })

  it('I6: is exact on both sides of 2^53', async () => {
    const { url, segments } = await startInstance()
    await segments.create('large', 9_007_199_254_740_990n, 1_000)
    await segments.create('last', 9_223_372_036_854_775_806n, 1)
    expect(await many(4, clientOf({ servers: [url], sequence: 'large' }))).toEqual([
      9_007_199_254_740_990,
      9_007_199_254_740_991,
      9_007_199_254_740_992n,
      9_007_199_254_740_993n,
    ])
    expect(await many(2, clientOf({ servers: [url], sequence: 'last' }))).toEqual([
      9_223_372_036_854_775_806n,
      9_223_372_036_854_775_807n,
    ])
  })

  it('learns how many ids the server gives at once', async () => {
    const { url } = await startInstance({ request_ids_max: 7 })
    const ids = await many(50, clientOf({ servers: [url] }))
    expect(ids).toEqual(Array.from({ length: 50 }, (_, i) => 100 + i))
  })

  it('fails with UNKNOWN_SEQUENCE at once, and works when the sequence has been made', async () => {
    const { url, segments } = await startInstance()
    const client = clientOf({ servers: [url], sequence: 'orders' })
    const waiting = [client.next(), client.next()]
    for (const failing of waiting) expect(await codeOf(failing)).toBe('UNKNOWN_SEQUENCE')
    await segments.create('orders', 1n, 1_000)
    let first: Id | undefined
    await until(10_000, async () => {
      first = await client.next().catch(() => undefined)
      return first !== undefined
    })
    expect(first).toBe(1)
  })

  it('fails with BAD_REQUEST for a name that cannot be one', async () => {
    const { url } = await startInstance()
    expect(await codeOf(clientOf({ servers: [url], sequence: 'a\nb' }).next())).toBe('BAD_REQUEST')
  })
})

describe('batches', () => {
  it('I8: grow with demand up to 10,000, one request at a time, and whoever asks in one turn shares one', async () => {
    let open = 0
    let openMax = 0
    const counting = countingFrom({ id: 1 })
    const server = await startScriptedServer((response, request) => {
      openMax = Math.max(openMax, ++open)
      response.on('close', () => {
        open--
      })
      counting(response, request)
    })
    const client = clientOf({ servers: [server.url] })
    const first = await many(100, client)
    expect(server.targets).toEqual(['/new?format=text&count=100'])
    const ids = [...first]
    while (ids.length < 100_000) ids.push(await client.next())
    expect(ids).toEqual(Array.from({ length: 100_000 }, (_, i) => i + 1))
    expect(openMax).toBe(1)
    const counts = server.targets.map((target) => Number(target.split('=').pop()))
    expect(Math.max(...counts)).toBe(10_000)
  })

  it('I2: ids of an answer that breaks off, or is not complete, are never handed out', async () => {
    const next = { id: 1 }
    const counting = countingFrom(next)
    const cut: Answerer = (response) => {
      next.id += 5
      response.writeHead(200, { 'content-length': '1000' }).write('1\n2\n3\n', () => response.destroy())
    }
    const server = await startScriptedServer(inTurn(cut, answering(200, '6\n7\n'), counting))
    const client = clientOf({ servers: [server.url] })
    expect(await many(3, client)).toEqual([6, 7, 8])
    expect(server.targets).toHaveLength(3)
  })
})

describe('several servers', () => {
  it.each<[string, Answerer]>([
    ['a page', answering(200, '<html>welcome</html>')],
    ['nothing', answering(200, '')],
    ['too few ids', answering(200, '1\n2\n')],
    ['ids that do not increase', answering(200, '3\n2\n1\n')],
    ['the same id again and again, as from a cache', answering(200, '1\n1\n1\n')],
    ['a negative id', answering(200, '-1\n2\n3\n')],
    ['an id of 20 digits', answering(200, '1\n2\n18446744073709551616\n')],
    ['a number that is not whole', answering(200, '1\n2\n3.5\n')],
    ['JSON', answering(200, '{"code":0,"msg":"ok","data":{"id":1,"ids":[1,2,3]}}')],
    ['a redirect', answering(302, '', { location: '/elsewhere' })],
    ['404', answering(404, 'no such path')],
    ['a 400 that is not of seqsvr', answering(400, 'plain HTTP request was sent to HTTPS port')],
    ['500', answering(500, 'oops')],
    ['503 for an hour', answering(503, '', { 'retry-after': '3600' })],
    ['a closed connection', (response) => response.destroy()],
    ['nothing at all, ever', never],
    [
      'headers, then nothing',
      (response) => {
        response.writeHead(200)
        response.flushHeaders()
      },
    ],
  ])('one that answers with %s is left alone, and the other one asked', async (_what, answer) => {
    const bad = await startScriptedServer(answer)
    const good = await startScriptedServer(countingFrom({ id: 1 }))
    // Where the turn begins is random: each begins once.
    for (let i = 0; bad.targets.length === 0 && i < 100; i++) {
      const client = clientOf({ servers: [bad.url, good.url], requestMsMax: 200 })
      const ids = await many(3, client)
      expect(ids.every((id, k) => k === 0 || id > (ids[k - 1] as Id))).toBe(true)
      client.close()
    }
    expect(bad.targets).not.toEqual([])
  })

  it('take turns, so that the load is spread', async () => {
    const servers = [
      await startScriptedServer(countingFrom({ id: 1 })),
      await startScriptedServer(countingFrom({ id: 1_000_000 })),
    ]
    const client = clientOf({ servers: servers.map(({ url }) => url) })
    for (let i = 0; i < 1_000; i++) await client.next()
    const [asked, askedToo] = servers.map(({ targets }) => targets.length) as [number, number]
    expect(Math.abs(asked - askedToo)).toBeLessThanOrEqual(1)
    expect(asked).toBeGreaterThan(1)
  })
})

describe('waiting', () => {
  it('ends with TIMEOUT, which tells of the last failure', async () => {
    const port = await freePort()
    const client = clientOf({ servers: [`http://127.0.0.1:${port}`], waitMsMax: 150 })
    const failing = client.next()
    expect(await codeOf(failing)).toBe('TIMEOUT')
    await expect(failing).rejects.toThrow(
      `no id within 150 ms; the last failure: http://127.0.0.1:${port}: fetch failed: connect ECONNREFUSED`,
    )
  })

  it('outlasts servers that are away for a moment', async () => {
    const server = await startScriptedServer(
      inTurn(answering(503, '', { 'retry-after': '0' }), answering(500, ''), countingFrom({ id: 1 })),
    )
    expect(await many(2, clientOf({ servers: [server.url] }))).toEqual([1, 2])
  })

  it('ends with ABORTED for the one whose signal says so; the others keep their order', async () => {
    const waiting: (() => void)[] = []
    const counting = countingFrom({ id: 1 })
    const server = await startScriptedServer((response, request) => {
      waiting.push(() => counting(response, request))
    })
    const client = clientOf({ servers: [server.url] })
    const abort = new AbortController()
    const first = client.next()
    const second = client.next({ signal: abort.signal })
    const third = client.next({ signal: new AbortController().signal })
    await until(5_000, () => waiting.length === 1)
    abort.abort(new Error('the user has left'))
    expect(await codeOf(second)).toBe('ABORTED')
    await expect(second).rejects.toMatchObject({ cause: new Error('the user has left') })
    waiting[0]?.()
    expect([await first, await third]).toEqual([1, 2])
    // Id 3 was asked for by the second one: it goes to the next.
    expect(await codeOf(client.next({ signal: AbortSignal.abort() }))).toBe('ABORTED')
    expect(client.tryNext()).toBe(3)
  })

  it('I9: has a limit', async () => {
    const server = await startScriptedServer(never)
    const client = clientOf({ servers: [server.url] })
    const waiting = Array.from({ length: 100_000 }, () => client.next())
    expect(await codeOf(client.next())).toBe('TOO_MANY_WAITERS')
    client.close()
    const ends = await Promise.allSettled(waiting)
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
  })
})

describe('closing', () => {
  it('rejects who waits and who comes, ends the request under way, and drops what is held', async () => {
    let cut = false
    const server = await startScriptedServer(
      inTurn(countingFrom({ id: 1 }), (response) => {
        response.on('close', () => {
          cut = true
        })
      }),
    )
    const client = clientOf({ servers: [server.url], requestMsMax: 60_000 })
    await many(1, client)
    const waiting = client.next()
    await until(5_000, () => server.targets.length === 2)
    client.close()
    expect(await codeOf(waiting)).toBe('CLOSED')
    expect(await codeOf(client.next())).toBe('CLOSED')
    expect(client.tryNext()).toBeUndefined()
    await until(5_000, () => cut)
    client.close()
  })
})

it.each([
  [{ servers: [] }, /servers is empty/],
  [{ servers: ['localhost'] }, /not the address of a server, like http.*: "localhost"/],
  [{ servers: ['127.0.0.1:8000'] }, /not the address of a server, like http.*: "127.0.0.1:8000"/],
  [{ servers: ['localhost:8000'] }, /not the address of a server/],
  [{ servers: ['http://a:8000/new?count=5'] }, /not the address of a server/],
  [{ servers: ['http://a:8000'], waitMsMax: 0 }, /waitMsMax is a time in ms/],
  [{ servers: ['http://a:8000'], requestMsMax: Number.NaN }, /requestMsMax is a time in ms/],
])('refuses options that make no sense: %j', (options, message) => {
  expect(() => new IdClient(options)).toThrow(message)
})
