import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../test/support/root.ts'

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
const ROUND_ROBIN = join(ROOT, 'bench/round-robin.lua')
const AUTOCANNON_SCRIPT = join(import.meta.dirname, 'autocannon-load.js')
const run = promisify(execFile)

/**
 * Keep-alive GET requests for one target, a path or a whole URL: with wrk where it is installed, otherwise with autocannon.
 * With `tags`, it is of the sequences `t0`, `t1`, …, so many, one after the other.
 */
export function httpLoad(target: string, connections: number, tags?: number): Load {
  return spawnSync('wrk', ['-v']).error === undefined
    ? wrk(target, connections, tags)
    : autocannon(target, connections, tags)
}

function wrk(target: string, connections: number, tags: number | undefined): Load {
  return {
    description: `wrk, ${connections} connections, GET ${target}`,
    async run(port, seconds) {
      const { stdout } = await run('taskset', [
        ...['-c', LOAD_CORE, 'wrk', '--latency', '--threads', '1'],
        ...['--connections', String(connections), '--duration', `${seconds}s`],
        ...(tags === undefined ? [] : ['--script', ROUND_ROBIN]),
        urlOf(target, port),
        ...(tags === undefined ? [] : ['--', String(tags)]),
      ])
      return parseWrk(stdout)
    },
  }
}

function urlOf(target: string, port: number): string {
  return String(new URL(target, `http://127.0.0.1:${port}`))
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

function autocannon(target: string, connections: number, tags = 0): Load {
  return {
    description: `autocannon, ${connections} connections, GET ${target}`,
    caveat:
      'wrk is not installed. autocannon is slower than the servers it measures, so ratios of requests a second ' +
      'tend to 1 and latencies have a resolution of 1 ms: trust the CPU time per request',
    async run(port, seconds) {
      const { stdout } = await run('taskset', [
        ...['-c', LOAD_CORE, process.execPath, AUTOCANNON_SCRIPT],
        ...[urlOf(target, port), connections, seconds, tags].map(String),
      ])
      return JSON.parse(stdout)
    },
  }
}
