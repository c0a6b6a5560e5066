import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { type Contestant, RunningContestant } from './contestant.ts'
import { httpLoad } from './load.ts'
import type { Measurement } from './measurement.ts'
import { spread } from './ratio.ts'
import { cell, table } from './report.ts'
import { seqsvrCommand } from './seqsvr.ts'

const WORKERS = [1, 2]
const CONNECTIONS = 64
const WARM_UP_SECONDS = 1

/** proc(5) counts in hundredths of a second. */
const MICROSECONDS_PER_TICK = 10_000

interface Turn {
  readonly requestsPerSecond: number
  readonly serverCpuUs: number
  readonly loadCpuUs: number
  readonly errors: number
}

type Round = Readonly<Record<string, Turn>>

/** `GET /new` of trees of workers, which have all cores, and share one of them with the load. */
export const workersMeasurement: Measurement = {
  name: 'workers',
  async measure({ rounds, seconds }) {
    const turns: Round[] = []
    for (let i = 0; i < rounds; i++) {
      const round: Record<string, Turn> = {}
      for (const workers of WORKERS) round[nameOf(workers)] = await measure(workers, seconds)
      turns.push(round)
    }
    return {
      markdown: [
        '# GET /new, by workers',
        `${httpLoad('/new', CONNECTIONS).description}. ${rounds} rounds; in each, every tree is a fresh one and has a turn of ${seconds} s. ` +
          'Median (least – greatest).',
        `The workers have all ${cpus().length} cores, and the load has one of these too. Where there are only two, requests a second tell how two workers and ` +
          'the load share them. What workers can do is in the CPU time of a request, of which the load is no part: with a core of its own for ' +
          'each and for the load, n workers answer about n × 1,000,000 / (µs of the workers) requests a second.',
        tableOf(turns),
      ].join('\n\n'),
      data: { rounds, seconds, turns },
    }
  },
}

async function measure(workers: number, seconds: number): Promise<Turn> {
  const load = httpLoad('/new', CONNECTIONS)
  const running = await RunningContestant.start(tree(workers))
  try {
    await load.run(running.port, WARM_UP_SECONDS)
    const serverBefore = await cpuUsOfWorkers(running.port)
    const loadBefore = cpuUsOfEndedChildren()
    const { requests, seconds: took, errors } = await load.run(running.port, seconds)
    const loadCpuUs = cpuUsOfEndedChildren() - loadBefore
    const serverCpuUs = (await cpuUsOfWorkers(running.port)) - serverBefore
    return {
      requestsPerSecond: requests / took,
      serverCpuUs: serverCpuUs / requests,
      loadCpuUs: loadCpuUs / requests,
      errors,
    }
  } finally {
    await running.stop()
  }
}

function tree(workers: number): Contestant {
  return {
    name: nameOf(workers),
    command: (port, directory) => {
      const { argv, env } = seqsvrCommand(port, directory, {
        SEQSVR_STEP: '1000000',
        SEQSVR_WORKERS: String(workers),
      })
      return { argv: ['taskset', '-c', `0-${cpus().length - 1}`, ...argv], env: env ?? {} }
    },
    async probe(port) {
      const answering = workers === 1 ? 1 : await metric(port, 'seqsvr_workers_answering')
      return answering === workers && (await metric(port, 'seqsvr_ready')) === 1
    },
  }
}

function tableOf(turns: readonly Round[]): string {
  const over = (name: string, figure: (turn: Turn) => number, digits: number) =>
    cell(spread(turns.map((round) => figure(round[name] as Turn))), digits)
  const rows = WORKERS.map(nameOf).map((name) => [
    name,
    over(name, ({ requestsPerSecond }) => requestsPerSecond / 1000, 1),
    over(name, ({ serverCpuUs }) => serverCpuUs, 1),
    over(name, ({ loadCpuUs }) => loadCpuUs, 1),
    String(turns.reduce((sum, round) => sum + (round[name] as Turn).errors, 0)),
  ])
  const head = ['', 'thousand requests/s', 'µs of the workers', 'µs of the load', 'errors']
  return table(head, rows)
}

function nameOf(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}

/** CPU time of all workers. Their primary does nothing for a request. */
async function cpuUsOfWorkers(port: number): Promise<number> {
  return (await metric(port, 'process_cpu_seconds_total')) * 1e6
}

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** CPU time of what this process has started and seen end: a load is such a child, a server under load is not yet. */
function cpuUsOfEndedChildren(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * MICROSECONDS_PER_TICK
}
