/**
 * Sends a million damaged requests to each front of a real process: `npm run fuzz -- [--count N] [--seed S]`. Ends with 1
 * where it crashed, hung or grew by more than 50 MiB.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const MEMORY_FOLDER = '/dev/shm'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
})
const count = Number(values.count)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
  throw new RangeError('--count and --seed take whole numbers')
// For the store: it is not the disk that is tried out.
if (existsSync(MEMORY_FOLDER)) process.env.TMPDIR = MEMORY_FOLDER

console.log(`seed ${seed}`)
for (const { front, sent, seconds, grownMiB, problems } of await fuzz(count, seed)) {
  console.log(`${front}: ${sent} in ${seconds.toFixed(0)} s, memory ${grownMiB.toFixed(1)} MiB more`)
  for (const problem of problems) {
    console.log(`  PROBLEM: ${problem}`)
    process.exitCode = 1
  }
}
