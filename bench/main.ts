/**
 * Measures seqsvr against ceilings of the platform: `npm run bench [-- --rounds 5 --seconds 4]`.
 * Linux only: it needs taskset and /proc, and two cores.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { clientSuite } from './client.ts'
import { httpSuite } from './http.ts'
import { redisSuite } from './redis.ts'
import { writeReport } from './report.ts'
import { runSuite } from './suite.ts'
import { udpSuite } from './udp.ts'

/** Seen from bench/build, where this runs. */
const RESULTS = join(import.meta.dirname, '../results')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
})
const settings = { rounds: positive('rounds'), seconds: positive('seconds') }

for (const suite of [httpSuite(), redisSuite(1), redisSuite(16), redisSuite(64), udpSuite(), clientSuite()])
  console.log(writeReport(RESULTS, suite, settings, await runSuite(suite, settings)))

function positive(flag: 'rounds' | 'seconds'): number {
  const value = Number(values[flag])
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`--${flag} takes a whole number of at least 1, not ${values[flag]}`)
}
