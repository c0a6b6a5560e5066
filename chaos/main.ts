/**
 * Breaks a fleet of real processes under load and looks for ids that came twice:
 * `npm run chaos -- [--minutes N | --kills instances=N,mariadbd=N | --cuts N] [--seed S]`. Linux only.
 * Ends with 1 where an id came twice or out of order, or a process ended as it should not.
 */
import { join } from 'node:path'
import { ROOT } from '../test/support/root.ts'
import { readPlan } from './plan.ts'
import { isSound } from './report.ts'
import { writeResults } from './results.ts'
import { run } from './run.ts'

const EXIT_USAGE = 2

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort())

const { plan, seed } = planOrExit()
console.error(`seed ${seed}`)
const report = await run(plan, seed, (line) => console.error(line), interrupt.signal)
console.log(writeResults(join(ROOT, 'chaos/results'), report))
process.exitCode = isSound(report) && report.problems.length === 0 ? 0 : 1

function planOrExit(): ReturnType<typeof readPlan> {
  try {
    return readPlan(process.argv.slice(2))
  } catch (error) {
    console.error((error as Error).message)
    process.exit(EXIT_USAGE)
  }
}
