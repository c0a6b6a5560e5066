/**
 * Measures seqsvr: `npm run bench -- [NAME…] [--rounds 3] [--seconds 1] [--against URL]`. A name stands for all that
 * begin with it: `redis`, `growth-step`. Only what is run is written to bench/results.
 *
 * Linux only: it needs taskset and /proc, and two cores. The package's script puts this process, and with it the load, on core 1.
 */
import { parseArgs } from 'node:util'
import { againstSuite } from './against.ts'
import { clientSuite } from './client.ts'
import { connectionsSuite, sequencesSuite, stepSuite } from './growth.ts'
import { allocSuite, newSuite } from './http.ts'
import { latencyMeasurement } from './latency.ts'
import { leasesMeasurement, rowsMeasurement } from './leases.ts'
import { type Measurement, suiteMeasurement, writeResults } from './measurement.ts'
import { memoryMeasurement } from './memory.ts'
import { redisSuite } from './redis.ts'
import { takeMeasurement } from './take.ts'
import { udpSuite } from './udp.ts'
import { workersMeasurement } from './workers.ts'

const EXIT_USAGE = 2

const ALL: readonly Measurement[] = [
  ...[newSuite(), allocSuite(), redisSuite(1), redisSuite(16), redisSuite(64), udpSuite(), clientSuite()].map(
    suiteMeasurement,
  ),
  ...[connectionsSuite(), sequencesSuite(), stepSuite()].map(suiteMeasurement),
  latencyMeasurement,
  memoryMeasurement,
  takeMeasurement,
  leasesMeasurement,
  rowsMeasurement,
  workersMeasurement,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    against: { type: 'string' },
  },
})
const settings = { rounds: positive('rounds'), seconds: positive('seconds') }

for (const { name, measure } of chosen()) {
  console.error(name)
  console.log(writeResults(name, await measure(settings)))
}

function chosen(): readonly Measurement[] {
  const { against } = values
  const beside = against === undefined ? [] : [suiteMeasurement(againstSuite(against))]
  if (positionals.length === 0 && against !== undefined) return beside
  const unknown = positionals.find((prefix) => !ALL.some(({ name }) => name.startsWith(prefix)))
  if (unknown !== undefined)
    fail(`nothing to measure is called ${unknown}; there are ${ALL.map(({ name }) => name).join(', ')}`)
  const named = ALL.filter(({ name }) => positionals.some((prefix) => name.startsWith(prefix)))
  return [...beside, ...(positionals.length === 0 ? ALL : named)]
}

function positive(flag: 'rounds' | 'seconds'): number {
  const value = Number(values[flag])
  if (Number.isInteger(value) && value > 0) return value
  fail(`--${flag} takes a whole number of at least 1, not ${values[flag]}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(EXIT_USAGE)
}
