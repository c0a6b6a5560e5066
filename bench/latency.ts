import { createDatabase, MysqlServer } from '../test/support/mysql-server.ts'
import { mysqlEnv } from '../test/support/seqsvr-process.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import type { Contestant } from './contestant.ts'
import { growth, seqsvr } from './growth.ts'
import { httpLoad } from './load.ts'
import { type Measurement, measureSuite } from './measurement.ts'
import { seqsvrCommand } from './seqsvr.ts'

const COMMITS = [
  { ms: 0, step: 100 },
  { ms: 10, step: 100 },
  { ms: 50, step: 100 },
  { ms: 200, step: 100 },
  { ms: 200, step: 10_000 },
]

/** Leases double until they last. With commits of 200 ms, that takes seconds. */
const WARM_UP_SECONDS = 4

/** `/new` on a private MariaDB, behind a proxy that holds each COMMIT back. */
export const latencyMeasurement: Measurement = {
  name: 'growth-latency',
  async measure(settings) {
    const server = await MysqlServer.start()
    const slow = await slowCommits(server)
    try {
      const contestants = COMMITS.map(({ ms, step }) => slowContestant(server, slow, ms, step))
      const suite = growth(
        'growth-latency',
        'GET /new by the time of a commit',
        contestants,
        httpLoad('/new', 64),
      )
      return await measureSuite({ ...suite, warmUpSeconds: WARM_UP_SECONDS }, settings)
    } finally {
      await slow.tcp.close()
      await server.stop()
    }
  },
}

interface SlowCommits {
  readonly tcp: TcpProxy
  commitMs: number
}

async function slowCommits({ login }: MysqlServer): Promise<SlowCommits> {
  // The proxy asks right before it forwards, and holds back what comes while a delay is set: here, COMMITs only.
  const tcp: TcpProxy = await TcpProxy.start(login, () => ({
    cutsRequest(chunk) {
      tcp.delay(chunk.includes('COMMIT') ? slow.commitMs : 0)
      return false
    },
    cutsAnswer() {
      tcp.delay(0)
      return false
    },
  }))
  const slow: SlowCommits = { tcp, commitMs: 0 }
  return slow
}

function slowContestant(
  { login }: MysqlServer,
  slow: SlowCommits,
  commitMs: number,
  step: number,
): Contestant {
  return {
    ...seqsvr(`${commitMs} ms, step ${step.toLocaleString('en')}`),
    async command(port, directory) {
      slow.commitMs = commitMs
      const database = { ...(await createDatabase(login)), port: slow.tcp.port }
      return seqsvrCommand(port, directory, { ...mysqlEnv(database), SEQSVR_STEP: String(step) })
    },
  }
}
