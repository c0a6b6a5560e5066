/**
 * Runs one instance for long, at half of the rate that it reaches: `npm run soak -- [--minutes 60]`. HTTP, Redis and UDP at
 * once, each id looked at. Every minute, or sixty times in all, it notes memory, handles and the lag of the event loop.
 *
 * Ends with 1 where an id came twice, a request failed, or memory or handles grew. Linux only, two cores, as the bench.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { IdSet } from '../chaos/id-set.ts'
import { freePort } from '../test/support/free-port.ts'
import { type Contestant, RunningContestant } from './contestant.ts'
import { writeResults } from './measurement.ts'
import { httpWire, PacedLoad, redisWire, tcpClients, udpClients } from './paced-load.ts'
import { spread } from './ratio.ts'
import { seqsvrCommand } from './seqsvr.ts'

const FULL_SECONDS = 10
const WARM_UP_SECONDS = 20
const SAMPLES = 60
const MIB = 1024 * 1024
/**
 * What a run may grow by from its first quarter to its last and still be called flat: the least of the heap, whose garbage comes and
 * goes; the median of what is resident, of which the system takes 25 MiB away for a minute now and then.
 */
const GROWTH_BYTES_MAX = 10 * MIB
/** Connections that asked for metrics come and go. */
const GROWTH_HANDLES_MAX = 4
/** Node counts the delay from one look at the clock to the next, and looks every 10 ms. */
const LAG_RESOLUTION_MS = 10

const RULE = `
function min_counter() return 1 end
function max_counter() return 2^53 end
function reset_seconds() return 0 end
function create_id(counter) return counter:generate_counter() end
`

interface Sample {
  readonly minute: number
  readonly idsPerSecond: number
  readonly cpuShare: number
  readonly residentMiB: number
  readonly heapMiB: number
  readonly handles: number
  readonly lagP99Ms: number
  readonly lagMaxMs: number
  readonly p99Ms: number
}

const minutes = Number(parseArgs({ options: { minutes: { type: 'string', default: '60' } } }).values.minutes)
if (!(minutes > 0)) {
  console.error('--minutes takes a number above 0')
  process.exit(2)
}

const [redisPort, udpPort] = [await freePort(), await freePort()]
const server = await RunningContestant.start(instance())
try {
  const loads = [
    new PacedLoad('GET /new', tcpClients(server.port, 32, httpWire), new IdSet()),
    new PacedLoad('INCR', tcpClients(redisPort, 16, redisWire), new IdSet()),
    new PacedLoad('UDP', udpClients(udpPort, 16), new IdSet()),
  ]
  await sleep(WARM_UP_SECONDS * 1000)
  const fullRates = await ratesOver(loads, FULL_SECONDS)
  for (const [i, load] of loads.entries()) load.pace((fullRates[i] as number) / 2)
  await sleep(5_000)
  const samples: Sample[] = []
  for (let i = 0; i < SAMPLES; i++) {
    samples.push(await sample(loads, (minutes * 60) / SAMPLES, ((i + 1) * minutes) / SAMPLES))
    const { minute, idsPerSecond, residentMiB, handles, lagP99Ms, p99Ms } = samples.at(-1) as Sample
    console.error(
      `${minute.toFixed(1)} min, ${Math.round(idsPerSecond)} ids/s, ${residentMiB.toFixed(0)} MiB, ${handles} handles, ` +
        `lag p99 ${lagP99Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    )
  }
  await Promise.all(loads.map((load) => load.stop()))
  process.exitCode = finish(loads, fullRates, samples)
} finally {
  await server.stop()
}

function instance(): Contestant {
  return {
    name: 'seqsvr',
    command(port, directory) {
      const config = join(directory, 'config.yml')
      writeFileSync(join(directory, 'rule.lua'), RULE)
      writeFileSync(
        config,
        `
redis: { port: 127.0.0.1:${redisPort} }
udp:
  port: 127.0.0.1:${udpPort}
  rules: [{ name: soak, lua_file: rule.lua, batch_save: 10000 }]
`,
      )
      const { argv, env } = seqsvrCommand(port, directory)
      // Node 24 lets garbage of its own accord pile up to 128 MB, at whatever minute, which says nothing of what is kept.
      return {
        argv: [...argv, '--config', config],
        env: { ...env, NODE_OPTIONS: '--max-semi-space-size=16' },
      }
    },
    probe: async (port) => (await fetch(`http://127.0.0.1:${port}/new`)).ok,
  }
}

async function ratesOver(loads: readonly PacedLoad[], seconds: number): Promise<number[]> {
  const before = loads.map(({ ids }) => ids)
  await sleep(seconds * 1000)
  return loads.map(({ ids }, i) => (ids - (before[i] as number)) / seconds)
}

async function sample(loads: readonly PacedLoad[], seconds: number, minute: number): Promise<Sample> {
  const cpuUs = server.cpuUs
  await metrics()
  const rates = await ratesOver(loads, seconds)
  const of = await metrics()
  return {
    minute,
    idsPerSecond: rates.reduce((sum, rate) => sum + rate, 0),
    cpuShare: (server.cpuUs - cpuUs) / (seconds * 1e6),
    residentMiB: server.residentBytes / MIB,
    heapMiB: of('nodejs_heap_size_used_bytes') / MIB,
    handles: readdirSync(`/proc/${server.pid}/fd`).length,
    lagP99Ms: of('nodejs_eventloop_lag_p99_seconds') * 1000 - LAG_RESOLUTION_MS,
    lagMaxMs: of('nodejs_eventloop_lag_max_seconds') * 1000 - LAG_RESOLUTION_MS,
    p99Ms: Math.max(...loads.map((load) => load.takeP99Ms())),
  }
}

async function metrics(): Promise<(name: string) => number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text()
  return (name) => Number(new RegExp(`^${name}(?:{.*})? (.*)$`, 'm').exec(text)?.[1])
}

function finish(
  loads: readonly PacedLoad[],
  fullRates: readonly number[],
  samples: readonly Sample[],
): 0 | 1 {
  const quarter = Math.floor(samples.length / 4)
  const least = (part: readonly Sample[], key: keyof Sample) => Math.min(...part.map((one) => one[key]))
  const middle = (part: readonly Sample[], key: keyof Sample) => spread(part.map((one) => one[key])).median
  const [first, last] = [samples.slice(0, quarter), samples.slice(-quarter)]
  const problems = [
    ...loads.flatMap(({ name, duplicates, failures }) => [
      ...(duplicates > 0 ? [`${name}: ${duplicates} ids came twice`] : []),
      ...(failures > 0 ? [`${name}: ${failures} requests failed`] : []),
    ]),
    ...[
      { name: 'residentMiB', grown: middle(last, 'residentMiB') - middle(first, 'residentMiB') },
      { name: 'heapMiB', grown: least(last, 'heapMiB') - least(first, 'heapMiB') },
    ]
      .filter(({ grown }) => grown * MIB > GROWTH_BYTES_MAX)
      .map(({ name, grown }) => `${name} grew by ${grown.toFixed(1)}`),
    ...(least(last, 'handles') > least(first, 'handles') + GROWTH_HANDLES_MAX ? ['handles grew'] : []),
  ]
  const columns = Object.keys(samples[0] as Sample) as (keyof Sample)[]
  const shown = samples.filter((_, i) => (i + 1) % Math.ceil(samples.length / 12) === 0)
  const markdown = [
    '# Long at half rate',
    '',
    `One instance on the embedded store, ${minutes} minutes. At full speed ${loads
      .map(({ name }, i) => `${name} ${Math.round(fullRates[i] as number)}/s`)
      .join(', ')}; then half of it.`,
    '',
    ...loads.map(
      ({ name, ids, duplicates, failures }) =>
        `- ${name}: ${ids.toLocaleString('en')} ids, ${duplicates} twice, ${failures} requests failed`,
    ),
    `- ${problems.length === 0 ? 'nothing grew' : problems.join('; ')}`,
    '',
    `| ${columns.join(' | ')} |`,
    `|${columns.map(() => ' ---: ').join('|')}|`,
    ...shown.map(
      (one) => `| ${columns.map((key) => one[key].toFixed(key === 'cpuShare' ? 2 : 1)).join(' | ')} |`,
    ),
  ].join('\n')
  console.log(writeResults('soak', { markdown, data: { minutes, fullRates, samples, problems } }))
  return problems.length === 0 ? 0 : 1
}
