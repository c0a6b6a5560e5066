import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SegmentStore } from '../../src/core/store.ts'
import { converse, RawClient } from './exchange.ts'
import { RedisInstance } from './instance.ts'

/** Fresh named sequences, and how to be rid of them. */
export interface SegmentsFixture {
  readonly segments: SegmentStore
  close(): Promise<void>
}

/** What the older server answered, with the wraps, the lost pipelines and the injections mended. */
const transcript: readonly (readonly [request: string, answer: string])[] = [
  ['SET ord 500', '+OK\r\n'],
  ['GET ord', '$3\r\n501\r\n'],
  ['get ord', '$3\r\n502\r\n'],
  ['SET ord 10', '+OK\r\n'],
  ['GET ord', '$3\r\n503\r\n'],
  ['EXISTS ord', ':1\r\n'],
  ['EXISTS zzz', ':0\r\n'],
  ['GET zzz', '$-1\r\n'],
  ['SELECT 1', '+OK\r\n'],
  ['DEL ord', ':1\r\n'],
  ['DEL ord', ':0\r\n'],
  ['GET ord', '$-1\r\n'],
  ['SET ord', "-ERR wrong number of arguments for 'set' command\r\n"],
  ['SET ord abc', '-ERR value is not an integer or out of range\r\n'],
  ['PING', '+PONG\r\n'],
  ['INCR inc', ':1\r\n'],
  ['SET big 9223372036854775806', '+OK\r\n'],
  ['GET big', '$19\r\n9223372036854775807\r\n'],
]

/** Requests and answers that need no state, or make their own. */
const vectors: readonly (readonly [request: string, answer: string])[] = [
  ['*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nincr\r\n$1\r\na\r\n', ':1\r\n:2\r\n'],
  ['INCRBY a 5\r\nGET a\r\n', ':5\r\n$1\r\n6\r\n'],
  ['INCRBY a 0\r\n', '-ERR increment must be from 1 to 10000: so many ids are taken\r\n'],
  ['INCRBY a -1\r\n', '-ERR increment must be from 1 to 10000: so many ids are taken\r\n'],
  ['INCRBY a 10001\r\n', '-ERR increment must be from 1 to 10000: so many ids are taken\r\n'],
  ['INCRBY a 1.5\r\n', '-ERR value is not an integer or out of range\r\n'],
  ['INCRBY a 01\r\n', '-ERR value is not an integer or out of range\r\n'],
  ['INCRBY a 99999999999999999999\r\n', '-ERR value is not an integer or out of range\r\n'],
  ['SET a -1\r\n', '-ERR value is not an integer or out of range\r\n'],
  ['SET a 9223372036854775807\r\n', '-ERR value is not an integer or out of range\r\n'],
  ['SET a 99999999999999999999\r\n', '-ERR value is not an integer or out of range\r\n'],
  ...['NX', 'XX', 'GET', 'KEEPTTL', 'EX 10', 'nonsense'].map(
    (option) =>
      [
        `SET a 5 ${option}\r\nEXISTS a\r\n`,
        '-ERR syntax error: SET takes a key and a number, no options such as NX, XX, EX or GET\r\n:0\r\n',
      ] as const,
  ),
  ['SET a 0\r\nGET a\r\n', '+OK\r\n$1\r\n1\r\n'],
  [
    'SET a 10\r\nSET b 20\r\nMGET a nope b a\r\n',
    '+OK\r\n+OK\r\n*4\r\n$2\r\n11\r\n$-1\r\n$2\r\n21\r\n$2\r\n12\r\n',
  ],
  [
    'INCR a\r\nINCR b\r\nEXISTS a a b nope\r\nDEL a a nope b\r\nEXISTS a b\r\n',
    ':1\r\n:1\r\n:3\r\n:2\r\n:0\r\n',
  ],
  [
    'SET a 9007199254740989\r\nGET a\r\nINCR a\r\nGET a\r\nINCR a\r\n',
    '+OK\r\n$16\r\n9007199254740990\r\n:9007199254740991\r\n$16\r\n9007199254740992\r\n:9007199254740993\r\n',
  ],
  [
    'SET "x\'; DROP TABLE segments; --" 5\r\nGET "x\'; DROP TABLE segments; --"\r\nEXISTS x\r\n',
    '+OK\r\n$1\r\n6\r\n:0\r\n',
  ],
  ['INCR \xc3\xa4\r\nINCR "\\xc3\\xa4"\r\nINCR a\r\n', ':1\r\n:2\r\n:1\r\n'],
  ['INCR "\\xff"\r\n', '-BAD_REQUEST the name of a sequence must be UTF-8\r\n'],
  ['SET "\\xff" 1\r\n', '-BAD_REQUEST the name of a sequence must be UTF-8\r\n'],
  ['GET ""\r\n', '-BAD_REQUEST the name of a sequence must not be empty\r\n'],
  ['SET "" 1\r\n', '-BAD_REQUEST the name of a sequence must not be empty\r\n'],
  [
    `INCR ${'n'.repeat(129)}\r\n`,
    '-BAD_REQUEST the name of a sequence must not be longer than 128 characters\r\n',
  ],
  ['SET "a\\nb" 1\r\n', '-BAD_REQUEST the name of a sequence must not hold control characters\r\n'],
  ['MGET "" "\\xff"\r\n', '-BAD_REQUEST the name of a sequence must be UTF-8\r\n'],
  ['MGET "" ok ""\r\n', '-BAD_REQUEST the name of a sequence must not be empty\r\n'],
  ['DEL ""\r\n', '-BAD_REQUEST the name of a sequence must not be empty\r\n'],
]

/** What the Redis front must do on every store. `open` makes fresh data. */
export function describeRedisFront(name: string, open: () => Promise<SegmentsFixture>): void {
  describe(`the Redis front on ${name}`, () => {
    let fixture: SegmentsFixture
    let instances: RedisInstance[]
    let clients: RawClient[]

    beforeEach(async () => {
      fixture = await open()
      instances = []
      clients = []
    })
    afterEach(async () => {
      for (const client of clients) client.close()
      for (const instance of instances) await instance.stop()
      await fixture.close()
    })

    async function start(): Promise<RedisInstance> {
      const instance = await RedisInstance.start(fixture.segments)
      instances.push(instance)
      return instance
    }

    async function connect({ port }: RedisInstance): Promise<RawClient> {
      const client = await RawClient.connect(port)
      clients.push(client)
      return client
    }

    async function ask(client: RawClient, request: string, answer: string): Promise<void> {
      expect([request, await client.ask(`${request}\r\n`, answer.length)]).toEqual([request, answer])
    }

    it("answers the older server's transcript, mended", async () => {
      const client = await connect(await start())
      for (const [request, answer] of transcript) await ask(client, request, answer)
      // I6: past the end comes an error, never a wrapped id.
      client.send('GET big\r\nINCR big\r\nQUIT\r\n')
      expect(await client.receiveAll()).toMatch(/^-EXHAUSTED [^\r\n]+\r\n-EXHAUSTED [^\r\n]+\r\n\+OK\r\n$/)
    })

    it('answers the transcript when it comes in one packet', async () => {
      const { port } = await start()
      const request = transcript.map(([line]) => `${line}\r\n`).join('')
      expect(await converse(port, [request])).toBe(
        `${transcript.map(([, answer]) => answer).join('')}+OK\r\n`,
      )
    })

    it.each(vectors)('%j, whole', async (request, answer) => {
      const { port } = await start()
      expect(await converse(port, [request])).toBe(`${answer}+OK\r\n`)
    })

    it.each(vectors)('%j, byte by byte', async (request, answer) => {
      const { port } = await start()
      expect(await converse(port, [...request])).toBe(`${answer}+OK\r\n`)
    })

    it('I1, I5: a pipeline of 10,000 GETs gets 10,000 ids, increasing and in order', async () => {
      const client = await connect(await start())
      await ask(client, 'SET p 0', '+OK\r\n')
      client.send('*2\r\n$3\r\nGET\r\n$1\r\np\r\n'.repeat(10_000))
      client.send('QUIT\r\n')
      const answer = await client.receiveAll()
      const ids = [...answer.matchAll(/\$(\d+)\r\n(\d+)\r\n/g)].map(([, length, id]) => {
        expect(Number(length)).toBe(id?.length)
        return Number(id)
      })
      expect(answer.replace(/\$\d+\r\n\d+\r\n/g, '')).toBe('+OK\r\n')
      expect(ids).toHaveLength(10_000)
      expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as number))).toBe(true)
    })

    it('I1: clients of two instances that make the same sequence at once share its ids', async () => {
      const two = [await start(), await start()]
      const answers = await Promise.all(
        Array.from({ length: 32 }, (_, i) =>
          converse((two[i % 2] as RedisInstance).port, ['INCR n\r\n'.repeat(50)]),
        ),
      )
      const ids = answers.flatMap((answer) => [...answer.matchAll(/:(\d+)\r\n/g)].map(([, id]) => Number(id)))
      expect(answers.flatMap((answer) => answer.match(/^-.*$/gm) ?? [])).toEqual([])
      expect(ids).toHaveLength(1_600)
      expect(new Set(ids).size).toBe(1_600)
    })

    it('I1, I5: another front on the same sequence gets other ids', async () => {
      const instance = await start()
      await instance.sequences.find('shared').catch(() => {})
      await fixture.segments.create('shared', 1n, 100)
      instance.sequences.renew('shared')
      const sequence = await instance.sequences.find('shared')
      const taken: (number | bigint)[] = []
      const answers = Promise.all(
        Array.from({ length: 8 }, () => converse(instance.port, ['GET shared\r\n'.repeat(200)])),
      )
      for (let i = 0; i < 1_000; i++) taken.push(await sequence.take())
      const ids = (await answers).flatMap((answer) =>
        [...answer.matchAll(/\$\d+\r\n(\d+)\r\n/g)].map(([, id]) => Number(id)),
      )
      expect(ids).toHaveLength(1_600)
      expect(new Set([...ids, ...taken.map(Number)]).size).toBe(2_600)
    })

    it('SET moves an existing sequence forward at once, for every connection', async () => {
      const instance = await start()
      const [client, other] = [await connect(instance), await connect(instance)]
      await ask(client, 'INCR k', ':1\r\n')
      await ask(other, 'GET k', '$1\r\n2\r\n')
      await ask(client, 'SET k 100', '+OK\r\n')
      const id = Number((await other.ask('GET k\r\n', 10)).split('\r\n')[1])
      // Above 100, and above the lease that was granted before.
      expect(id).toBe(1_001)
      await ask(client, 'SET k 5000', '+OK\r\n')
      await ask(other, 'GET k', '$4\r\n5001\r\n')
      await ask(client, 'SET k 5000', '+OK\r\n')
      await ask(other, 'GET k', '$4\r\n5002\r\n')
    })

    it('a sequence that is removed is gone for those who just used it, and starts above its ids when made again', async () => {
      const instance = await start()
      const [client, other] = [await connect(instance), await connect(instance)]
      for (const id of ['1', '2', '3']) await ask(client, 'INCR k', `:${id}\r\n`)
      await ask(other, 'DEL k', ':1\r\n')
      await ask(client, 'GET k', '$-1\r\n')
      // I4: what was leased never comes back.
      await ask(client, 'INCR k', ':1001\r\n')
      await ask(other, 'DEL k', ':1\r\n')
      await ask(other, 'SET k 7000', '+OK\r\n')
      await ask(client, 'INCR k', ':7001\r\n')
    })

    it('INCRBY answers with the last of consecutive ids of one lease', async () => {
      const instance = await start()
      const answers = await Promise.all(
        Array.from({ length: 16 }, () =>
          converse(instance.port, ['INCRBY row 7\r\nINCR row\r\n'.repeat(40)]),
        ),
      )
      const taken = answers.flatMap((answer) =>
        [...answer.matchAll(/:(\d+)\r\n/g)].flatMap(([, id], i) =>
          i % 2 === 1 ? [Number(id)] : Array.from({ length: 7 }, (_, j) => Number(id) - j),
        ),
      )
      expect(taken).toHaveLength(16 * 40 * 8)
      expect(new Set(taken).size).toBe(taken.length)
    })

    it('takes 10,000 consecutive ids at once', async () => {
      const client = await connect(await start())
      const answer = await client.ask('INCRBY row 10000\r\n', 8)
      expect(answer).toBe(':10000\r\n')
    })
  })
}
