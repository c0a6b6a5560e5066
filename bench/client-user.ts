/**
 * A process that uses ids of a seqsvr of its own, which runs on the other core, in the way that its argument names.
 * On PORT it takes orders: `GET /?seconds=4` uses ids for that long and answers with what a load generator would say.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../test/support/root.ts'
import type { LoadFigures } from './load.ts'

const SEQSVR = join(ROOT, 'dist/main.js')
const CLIENT = join(ROOT, 'dist/client/id-client.js')

const SERVER_CORE = '1'
const USERS = 64

interface Client {
  next(): Promise<unknown>
  tryNext(): unknown
}

interface Way {
  readonly users: number
  /** One id of so many is timed, and the clock looked at: the clock costs more than an id from memory. */
  readonly timeEvery: number
  readonly use: () => unknown
}

const url = await startSeqsvr()
const { IdClient } = (await import(CLIENT)) as { IdClient: new (options: { servers: string[] }) => Client }
const ids = new IdClient({ servers: [url] })
const ways: Record<string, Way> = {
  fetch: { users: USERS, timeEvery: 1, use: async () => (await fetch(`${url}/new`)).json() },
  next: { users: USERS, timeEvery: 64, use: () => ids.next() },
  tryNext: { users: 1, timeEvery: 64, use: () => ids.tryNext() ?? ids.next() },
}
const way = ways[process.argv[2] as string] as Way

createServer(async (request, response) => {
  const seconds = Number(new URL(request.url as string, url).searchParams.get('seconds'))
  response.end(JSON.stringify(await useIds(way, seconds)))
}).listen(Number(process.env.PORT), '127.0.0.1')

async function useIds({ users, timeEvery, use }: Way, seconds: number): Promise<LoadFigures> {
  const timesUs: number[] = []
  let requests = 0
  let errors = 0
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  async function user(): Promise<void> {
    for (let beforeMs = startMs; beforeMs < endMs; beforeMs = performance.now()) {
      try {
        await use()
        timesUs.push((performance.now() - beforeMs) * 1000)
        for (let i = 1; i < timeEvery; i++) {
          const id = use()
          if (id instanceof Promise) await id
        }
        requests += timeEvery
      } catch {
        errors++
      }
    }
  }
  await Promise.all(Array.from({ length: users }, user))
  timesUs.sort((a, b) => a - b)
  const at = (share: number): number => timesUs[Math.floor(timesUs.length * share)] ?? 0
  return {
    requests,
    seconds: (performance.now() - startMs) / 1000,
    p50Us: at(0.5),
    p99Us: at(0.99),
    errors,
  }
}

async function startSeqsvr(): Promise<string> {
  const reserved = createTcpServer().listen(0, '127.0.0.1')
  await once(reserved, 'listening')
  const { port } = reserved.address() as { port: number }
  reserved.close()
  const child = spawn('taskset', ['-c', SERVER_CORE, process.execPath, SEQSVR], {
    env: { ...process.env, SEQSVR_PORT: `127.0.0.1:${port}`, SEQSVR_STEP: '1000000' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.on('SIGTERM', () => {
    child.once('exit', () => process.exit())
    child.kill('SIGKILL')
  })
  const serverUrl = `http://127.0.0.1:${port}`
  while (!(await fetch(`${serverUrl}/readyz`).catch(() => undefined))?.ok) await sleep(20)
  return serverUrl
}
