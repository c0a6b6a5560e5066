import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Contestant } from './contestant.ts'
import type { Load, LoadFigures } from './load.ts'
import { SEQSVR } from './seqsvr.ts'
import type { Suite } from './suite.ts'

/** The core that contestants do not run on. */
const LOAD_CORE = '1'
const CONNECTIONS = 64
/** In the first second and a half V8 compiles: a command takes 13.9 µs of CPU time, and 10 from then on. */
const WARM_UP_SECONDS = 2
/** Requests that find out how many a second a contestant takes. */
const TRIAL_REQUESTS_PER_DEPTH = 5_000

const run = promisify(execFile)

/** INCR of one key against redis-server, with `depth` commands sent at a time. */
export function redisSuite(depth: number): Suite {
  return {
    name: `redis-${depth}`,
    title: `Redis INCR, pipeline depth ${depth}`,
    load: redisBenchmark(depth),
    contestants: [redisServer, seqsvr],
    ceilings: ['redis-server'],
    warmUpSeconds: WARM_UP_SECONDS,
  }
}

const redisServer: Contestant = {
  name: 'redis-server',
  command: (port, directory) => ({
    argv: ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
  }),
  probe: ping,
}

const seqsvr: Contestant = {
  name: 'seqsvr',
  command: (port, directory) => ({
    argv: [process.execPath, SEQSVR],
    env: {
      SEQSVR_PORT: '127.0.0.1:0',
      SEQSVR_REDIS_PORT: `127.0.0.1:${port}`,
      SEQSVR_SQLITE_FILE: join(directory, 'seqsvr.sqlite'),
    },
  }),
  probe: ping,
}

function redisBenchmark(depth: number): Load {
  // redis-benchmark takes a number of requests, not a time: each turn's follows from the contestant's last rate.
  const rates = new Map<number, number>()
  const send = async (port: number, requests: number): Promise<LoadFigures> => {
    const { stdout } = await run('taskset', [
      ...['-c', LOAD_CORE, 'redis-benchmark', '-p', String(port), '-t', 'incr', '--csv'],
      ...['-c', String(CONNECTIONS), '-P', String(depth), '-n', String(requests)],
    ])
    // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
    const fields = /"INCR",(.*)/
      .exec(stdout)?.[1]
      ?.split(',')
      .map((field) => Number(field.replaceAll('"', '')))
    const [requestsPerSecond, , , p50Ms, , p99Ms] = fields ?? []
    if (requestsPerSecond === undefined || p50Ms === undefined || p99Ms === undefined)
      throw new Error(`redis-benchmark's report has no figures:\n${stdout}`)
    rates.set(port, requestsPerSecond)
    // It ends with an error at the first reply that is one.
    const errors = 0
    return {
      requests,
      seconds: requests / requestsPerSecond,
      p50Us: p50Ms * 1000,
      p99Us: p99Ms * 1000,
      errors,
    }
  }
  return {
    description: `redis-benchmark, ${CONNECTIONS} connections, INCR of one key, ${depth} commands at a time`,
    async run(port, seconds) {
      if (!rates.has(port)) await send(port, TRIAL_REQUESTS_PER_DEPTH * depth)
      return send(port, Math.max(1, Math.round((rates.get(port) as number) * seconds)))
    },
  }
}

async function ping(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [answer] = await once(socket, 'data')
    return String(answer) === '+PONG\r\n'
  } finally {
    socket.destroy()
  }
}
