import { expect, inject, it, onTestFinished } from 'vitest'
import { takeIds } from '../support/id-load.ts'
import { createDatabase, dropDatabase, query } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

/** Each way, for each packet: a lease's transaction is five exchanges, so that it takes 200 ms and more. */
const DELAY_MS = 20

const ROUND = 60_000
const CONNECTIONS = 32

it('I8: a steady load with step 1000 on a store whose leases take 200 ms: once adapted, less than one a second, and it does not show in the latencies', async () => {
  const login = inject('mysql')
  const database = await createDatabase(login)
  onTestFinished(() => dropDatabase(database))
  const proxy = await TcpProxy.start(login)
  onTestFinished(() => proxy.close())
  const instance = await SeqsvrProcess.start({
    ...mysqlEnv({ ...database, port: proxy.port }),
    SEQSVR_LOG_LEVEL: 'debug',
  })
  onTestFinished(() => instance.kill())
  await query(database, "INSERT INTO segments (app_tag, max_id, step) VALUES ('orders', 1, 1000)")
  proxy.delay(DELAY_MS)

  const leases = () =>
    instance.output.split('\n').filter((line) => line.includes('"leased"') && line.includes('"orders"'))
  const round = async () => {
    const latenciesMs: number[] = []
    const before = leases().length
    const startedMs = performance.now()
    const url = `${instance.url}/alloc?app_tag=orders&format=text`
    const ids = await takeIds([url], ROUND, CONNECTIONS, latenciesMs)
    const tookS = (performance.now() - startedMs) / 1000
    latenciesMs.sort((a, b) => a - b)
    const at = (share: number) =>
      (latenciesMs[Math.floor(share * (latenciesMs.length - 1))] as number).toFixed(1)
    const count = leases().length - before
    console.log(
      `${Math.round(ROUND / tookS)} requests a second, ${(count / tookS).toFixed(2)} leases a second, ` +
        `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
    )
    return { ids, leasesPerSecond: count / tookS }
  }
  const ids = (await round()).ids
  for (let i = 0; i < 2; i++) ids.push(...(await round()).ids)
  const adapted = await round()
  expect(adapted.leasesPerSecond).toBeLessThan(1)
  expect(new Set([...ids, ...adapted.ids]).size).toBe(4 * ROUND)
  const tookMs = leases().map((line) => (JSON.parse(line) as { tookMs: number }).tookMs)
  expect(Math.min(...tookMs)).toBeGreaterThanOrEqual(10 * DELAY_MS)
}, 120_000)
