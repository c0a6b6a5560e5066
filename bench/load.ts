import { execFile, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

/** What a load generator saw in one round. */
export interface LoadFigures {
  readonly requests: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
  /** Failed connections, time-outs, and answers other than 2xx. */
  readonly errors: number
}

/** A load generator with its settings. */
export interface Load {
  /** For the report: what loads, and with what. */
  readonly description: string
  /** What a reader must know about figures that this generator gives. */
  readonly caveat?: string
  run(port: number, seconds: number): Promise<LoadFigures>
}

const LOAD_CORE = '1'
const run = promisify(execFile)

/** Keep-alive GET requests for one path: with wrk where it is installed, otherwise with autocannon. */
export function httpLoad(path: string, connections: number): Load {
  return spawnSync('wrk', ['-v']).error === undefined ? wrk(path, connections) : autocannon(path, connections)
}

function wrk(path: string, connections: number): Load {
  return {
    description: `wrk, ${connections} connections, GET ${path}`,
    async run(port, seconds) {
      const { stdout } = await run('taskset', [
        ...['-c', LOAD_CORE, 'wrk', '--latency', '--threads', '1'],
        ...['--connections', String(connections), '--duration', `${seconds}s`],
        `http://127.0.0.1:${port}${path}`,
      ])
      return parseWrk(stdout)
    },
  }
}

function parseWrk(text: string): LoadFigures {
  const [, requests, seconds] = match(text, /(\d+) requests in ([\d.]+\w+),/)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)
  const badAnswers = /Non-2xx or 3xx responses: (\d+)/.exec(text)
  const errors = [...(socketErrors?.slice(1) ?? []), badAnswers?.[1] ?? '0']
  return {
    requests: Number(requests),
    seconds: microseconds(seconds) / 1e6,
    p50Us: microseconds(match(text, /\s50%\s+([\d.]+\w+)/)[1]),
    p99Us: microseconds(match(text, /\s99%\s+([\d.]+\w+)/)[1]),
    errors: errors.reduce((sum, count) => sum + Number(count), 0),
  }
}

function match(text: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(text)
  if (found === null) throw new Error(`wrk's report has no ${pattern}:\n${text}`)
  return found
}

const UNITS_US: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6 }

function microseconds(duration = ''): number {
  const [, value, unit = ''] = match(duration, /^([\d.]+)(\w+)$/)
  return Number(value) * (UNITS_US[unit] ?? Number.NaN)
}

function autocannon(path: string, connections: number): Load {
  const script = createRequire(import.meta.url).resolve('autocannon')
  return {
    description: `autocannon, ${connections} connections, GET ${path}`,
    caveat:
      'wrk is not installed. autocannon is slower than the servers it measures, so ratios of requests a second ' +
      'tend to 1 and latencies have a resolution of 1 ms: trust the CPU time per request',
    async run(port, seconds) {
      const { stdout } = await run('taskset', [
        ...['-c', LOAD_CORE, process.execPath, script, '--json', '--no-progress'],
        ...['--connections', String(connections), '--duration', String(seconds)],
        `http://127.0.0.1:${port}${path}`,
      ])
      const { requests, duration, latency, errors, non2xx } = JSON.parse(stdout)
      return {
        requests: requests.total,
        seconds: duration,
        p50Us: latency.p50 * 1000,
        p99Us: latency.p99 * 1000,
        errors: errors + non2xx,
      }
    },
  }
}
