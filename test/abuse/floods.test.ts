import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { until } from '../support/until.ts'
import { UdpClient } from '../udp/client.ts'
import { HonestClients } from './honest.ts'
import { type AbusedInstance, metric, startAbused } from './instance.ts'
import { closing, exchange, flood, open } from './raw.ts'

const MIB = 1024 * 1024
const PATIENCE_MS = 20_000
const ADMIN_TOKEN = 'a-token-of-the-tests'

async function start(env: Readonly<Record<string, string>> = {}): Promise<AbusedInstance> {
  const instance = await startAbused(env)
  onTestFinished(() => instance.end())
  return instance
}

/** Runs `abuse` while honest clients ask. They must notice nothing. */
async function amongHonest(
  { process, ports: { http, redis } }: AbusedInstance,
  abuse: () => Promise<void>,
): Promise<{ grownBytes: number }> {
  const honest = new HonestClients({ http, redis })
  await until(PATIENCE_MS, () => honest.haveEach(5))
  const quietBytes = process.residentBytes
  try {
    await abuse()
    const asked = honest.asked
    await until(PATIENCE_MS, () => honest.asked > asked + 20)
  } finally {
    await honest.stop()
  }
  expect(honest.failures).toEqual([])
  for (const [sequence, ids] of honest.ids) expect(new Set(ids).size, sequence).toBe(ids.length)
  expect(process.running).toBe(true)
  return { grownBytes: process.residentBytes - quietBytes }
}

const failures = (instance: AbusedInstance, front: string, code: string) =>
  metric(instance, `seqsvr_request_failures_total{front="${front}",code="${code}"}`)

describe('floods of names', () => {
  it('I9: unknown tags over HTTP take no memory that stays, and no sequence', async () => {
    const instance = await shared()
    const { grownBytes } = await amongHonest(instance, async () => {
      const answers = await flood(
        instance.ports.http,
        40,
        (i) => `GET /alloc?app_tag=x${i} HTTP/1.1\r\nHost: a\r\n\r\n`,
        2_000,
      )
      expect(answers).toContain('app_tag not found')
    })
    expect(await metric(instance, 'seqsvr_sequences_in_memory')).toBe(1)
    expect(grownBytes / MIB).toBeLessThan(80)
  })

  it('I9: INCR makes sequences up to sequences_max in memory, then says so; those in memory go on', async () => {
    const instance = await start({ SEQSVR_SEQUENCES_MAX: '20' })
    await amongHonest(instance, async () => {
      const answers = await flood(instance.ports.redis, 1, (i) => `INCR x${i}\r\n`, 60)
      expect(answers.match(/^:1\r\n/gm)).toHaveLength(19)
      expect(
        answers.match(/^-TOO_MANY_SEQUENCES 20 sequences are in memory already; [^\r]*\r\n/gm),
      ).toHaveLength(41)
    })
    expect(await failures(instance, 'redis', 'TOO_MANY_SEQUENCES')).toBe(41)
  })

  it('I9: one MGET of ever new names is answered with nil or an error', async () => {
    const instance = await shared()
    await amongHonest(instance, async () => {
      for (let round = 0; round < 3; round++) {
        const names = Array.from({ length: 9_000 }, (_, i) => `r${round}-${i}`).join(' ')
        const [answer = ''] = await exchange(
          instance.ports.redis,
          `MGET ${names.slice(0, 65_000)}\r\nQUIT\r\n`,
        )
        expect(answer).toMatch(/^\*\d+\r\n(\$-1\r\n)+\+OK\r\n$|^-TOO_MANY_WAITERS /)
      }
    })
    expect(await metric(instance, 'seqsvr_sequences_in_memory')).toBe(1)
  })

  it('I9: ever new app_names of a rule make counters up to counters_max, then an error; known ones go on', async () => {
    const instance = await start({ SEQSVR_UDP_COUNTERS_MAX: '50' })
    const ask = (app: string) =>
      fetch(`${instance.process.url}/rule?rule_name=task&app_name=${app}`).then(async (response) => [
        response.status,
        await response.text(),
      ])
    expect((await ask('known'))[0]).toBe(200)
    await amongHonest(instance, async () => {
      const refused = (await Promise.all(Array.from({ length: 80 }, (_, i) => ask(`a${i}`)))).filter(
        ([status]) => status === 503,
      )
      expect(refused).toHaveLength(31)
      expect(refused[0]?.[1]).toContain(
        'TOO_MANY_SEQUENCES: 50 counters are in memory already; raise udp.counters_max',
      )
    })
    expect((await ask('known'))[0]).toBe(200)
  })
})

describe('floods of connections', () => {
  it('I9: those above connections_max are refused, and their places come back', async () => {
    const instance = await start({ SEQSVR_HTTP_CONNECTIONS_MAX: '60', SEQSVR_REDIS_CONNECTIONS_MAX: '40' })
    await amongHonest(instance, async () => {
      const http = await Promise.all(Array.from({ length: 200 }, () => open(instance.ports.http)))
      const redis = await Promise.all(Array.from({ length: 200 }, () => open(instance.ports.redis)))
      const closed = (sockets: readonly Socket[]) => sockets.filter(({ destroyed }) => destroyed).length
      await until(PATIENCE_MS, () => closed(http) >= 140 && closed(redis) >= 160)
      const refused = await Promise.all(redis.filter(({ destroyed }) => destroyed).map(closing))
      expect(new Set(refused)).toEqual(new Set(['-ERR max number of clients reached\r\n']))
      for (const socket of [...http, ...redis]) socket.destroy()
      await until(
        PATIENCE_MS,
        async () =>
          (
            await exchange(instance.ports.http, 'GET /new HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
          )[0]?.startsWith('HTTP/1.1 200') === true,
      )
      await until(
        PATIENCE_MS,
        async () =>
          (await exchange(instance.ports.redis, 'INCR honest\r\nQUIT\r\n'))[0]?.startsWith(':') === true,
      )
    })
    expect(await metric(instance, 'seqsvr_connections_refused_total{front="http"}')).toBeGreaterThanOrEqual(
      140,
    )
    expect(await metric(instance, 'seqsvr_connections_refused_total{front="redis"}')).toBeGreaterThanOrEqual(
      160,
    )
  })

  it('I9: commands that never end are cut, those that hold the most first, once they hold too much together', async () => {
    const instance = await start({
      SEQSVR_REDIS_COMMAND_BYTES_MAX: '500000',
      SEQSVR_REDIS_OUTPUT_BYTES_MAX: '10000',
    })
    const { grownBytes } = await amongHonest(instance, async () => {
      const bytes = `*17\r\n${`$60000\r\n${'a'.repeat(60_000)}\r\n`.repeat(8)}`
      const sockets = await Promise.all(Array.from({ length: 200 }, () => open(instance.ports.redis)))
      for (const socket of sockets) socket.write(bytes)
      // Well before the time that each of them has.
      await until(5_000, () => sockets.filter(({ destroyed }) => destroyed).length >= 100)
      for (const socket of sockets) socket.destroy()
    })
    expect(grownBytes / MIB).toBeLessThan(150)
  })

  it('I9: browsers that follow the status page above its limit are told to reload, and their places come back', async () => {
    const { process } = await shared()
    const follow = async () => {
      const end = new AbortController()
      const { status, headers } = await fetch(`${process.url}/status/live`, { signal: end.signal })
      return { status, retryAfter: headers.get('retry-after'), end: () => end.abort() }
    }
    const followers = await Promise.all(Array.from({ length: 70 }, follow))
    expect(followers.filter(({ status }) => status === 200)).toHaveLength(50)
    expect(followers.filter(({ status, retryAfter }) => status === 503 && retryAfter === '1')).toHaveLength(
      20,
    )
    for (const { end } of followers) end()
    await until(PATIENCE_MS, async () => {
      const { status, end } = await follow()
      end()
      return status === 200
    })
  })
})

describe('floods of requests', () => {
  it('I9: requests that wait for a store that does not answer are limited; those above are refused at once', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const instance = await SeqsvrProcess.startUnready({
      SEQSVR_MYSQL_HOST: '127.0.0.1',
      SEQSVR_MYSQL_PORT: String((silent.address() as { port: number }).port),
      SEQSVR_MYSQL_USER: 'u',
      SEQSVR_MYSQL_DATABASE: 'd',
      SEQSVR_MYSQL_CONNECT_TIMEOUT_MS: '60000',
      SEQSVR_MYSQL_TIMEOUT_MS: '60000',
      SEQSVR_WAITERS_MAX: '50',
      SEQSVR_WAIT_MS_MAX: '3000',
    })
    onTestFinished(() => instance.kill())
    await until(
      PATIENCE_MS,
      async () => (await fetch(`${instance.url}/livez`).catch(() => undefined))?.ok === true,
    )
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () =>
        (await fetch(`${instance.url}/new`)).headers.get('seqsvr-error'),
      ),
    )
    const count = (code: string) => answers.filter((each) => each === code).length
    expect([count('WAIT_TIMEOUT'), count('TOO_MANY_WAITERS')]).toEqual([50, 150])
    expect((await fetch(`${instance.url}/livez`)).status).toBe(200)
  })

  it('I9: datagrams in great numbers are answered, refused or dropped, and the other fronts go on', async () => {
    const instance = await shared()
    await amongHonest(instance, async () => {
      const socket = createSocket('udp4')
      for (let i = 0; i < 20_000; i++) {
        socket.send(
          i % 2 === 0 ? 'garbage' : '{"action":"get","rule_name":"task","app_name":"a"}',
          instance.ports.udp,
          '127.0.0.1',
        )
        if (i % 100 === 0) await turn()
      }
      await until(PATIENCE_MS, async () => (await metric(instance, 'seqsvr_datagrams_dropped_total')) > 1_000)
      socket.close()
    })
    const client = new UdpClient(instance.ports.udp)
    // The system may drop some while the flood is worked on.
    await until(PATIENCE_MS, () => {
      client.send('{"action":"get","rule_name":"task","app_name":"b"}')
      return client.replies.some((reply) => JSON.parse(reply).code === 0)
    })
  })

  it('guesses of the admin token get nothing but 401 and 429, and the right one goes on to work', async () => {
    const { process } = await shared()
    const ask = (guess: string) =>
      fetch(`${process.url}/admin/sequences`, { headers: { authorization: `Bearer ${guess}` } })
    const guesses = await Promise.all(Array.from({ length: 300 }, (_, i) => ask(`${ADMIN_TOKEN}-${i}`)))
    expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([401]))
    const logins = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        fetch(`${process.url}/status/login`, {
          method: 'POST',
          headers: { origin: process.url },
          body: new URLSearchParams({ token: `guess-${i}` }),
        }),
      ),
    )
    expect(logins.filter(({ status }) => status === 403)).toHaveLength(10)
    expect(logins.filter(({ status }) => status === 429)).toHaveLength(20)
    expect((await ask(ADMIN_TOKEN)).status).toBe(200)
  })
})

let sharedInstance: Promise<AbusedInstance> | undefined

/** One instance for all tests that only send it nonsense: that it still serves is the point. */
async function shared(): Promise<AbusedInstance> {
  sharedInstance ??= startAbused({ SEQSVR_ADMIN_TOKEN: ADMIN_TOKEN })
  return sharedInstance
}

afterAll(async () => (await sharedInstance)?.end())
