import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { converse } from './exchange.ts'

it('I1: ids of one sequence through Redis and through /alloc at once are all different', async () => {
  const port = await freePort()
  const instance = await SeqsvrProcess.start({
    SEQSVR_REDIS_PORT: `127.0.0.1:${port}`,
    SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/seqsvr.sqlite`,
  })
  try {
    expect(await converse(port, ['INCR shared\r\n'])).toBe(':1\r\n+OK\r\n')
    const overHttp = async () => {
      const ids: number[] = []
      for (let i = 0; i < 200; i++) {
        const response = await fetch(`${instance.url}/alloc?app_tag=shared`)
        ids.push(((await response.json()) as { id: number }).id)
      }
      return ids
    }
    const overRedis = async () => {
      const answer = await converse(port, ['INCR shared\r\nGET shared\r\n'.repeat(5_000)])
      return [...answer.matchAll(/(?::|\$\d+\r\n)(\d+)\r\n/g)].map(([, id]) => Number(id))
    }
    const taken = (
      await Promise.all([overHttp, overRedis, overHttp, overRedis, overRedis].map((take) => take()))
    ).flat()
    expect(taken).toHaveLength(30_400)
    expect(new Set(taken).size).toBe(30_400)
    expect(await instance.stop()).toBe(0)
  } finally {
    await instance.kill()
  }
})
