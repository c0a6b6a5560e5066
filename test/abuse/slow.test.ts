import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { Abusers, THOUSAND } from './abusers.ts'
import { HonestClients } from './honest.ts'
import { hasAbusers, openFiles, startAbused } from './instance.ts'
import { exchange, open } from './raw.ts'

const MIB = 1024 * 1024

/** Far above what it takes, since machines of tests are busy: `npm run abuse` measures. */
const GONE_MS_MAX = 25_000

describe('a thousand slow connections', () => {
  it.concurrent.for([
    { how: 'the express lane', lane: 'true' },
    { how: 'node:http alone', lane: 'false' },
  ])(
    'I9: with $how, they are ended in a bounded memory while honest clients of every front go on',
    { timeout: 60_000 },
    // Not vitest's own onTestFinished: of tests that run side by side, the first to end would end both instances.
    async ({ lane }, { onTestFinished }) => {
      const instance = await startAbused({ SEQSVR_HTTP_EXPRESS_LANE: lane })
      onTestFinished(() => instance.end())
      const { http, redis } = instance.ports
      const honest = new HonestClients({ http, redis })
      await until(10_000, () => honest.haveEach(20))
      const quietBytes = instance.process.residentBytes
      const quietFiles = await openFiles(instance)
      let peakBytes = 0
      const abusers = new Abusers(THOUSAND, instance.ports)
      try {
        await abusers.arrived
        await until(GONE_MS_MAX, async () => {
          peakBytes = Math.max(peakBytes, instance.process.residentBytes)
          return !(await hasAbusers(instance, quietFiles))
        })
      } finally {
        await abusers.end()
        await honest.stop()
      }
      expect(honest.failures).toEqual([])
      expect(honest.haveEach(40)).toBe(true)
      for (const [sequence, ids] of honest.ids) expect(new Set(ids).size, sequence).toBe(ids.length)
      expect(instance.process.running).toBe(true)
      expect((peakBytes - quietBytes) / MIB).toBeLessThan(400)
    },
  )

  it.concurrent('with a password, they are ended where they do not give it', async ({ onTestFinished }) => {
    const instance = await startAbused({ SEQSVR_REDIS_PASSWORD: 'secret' })
    onTestFinished(() => instance.end())
    const socket = await open(instance.ports.redis)
    const nagging = setInterval(() => socket.write('RESET\r\n'), 200)
    await until(GONE_MS_MAX, () => socket.destroyed)
    clearInterval(nagging)
    const [answer] = await exchange(instance.ports.redis, 'AUTH secret\r\nPING\r\nQUIT\r\n')
    expect(answer).toBe('+OK\r\n+PONG\r\n+OK\r\n')
  })
})
