import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SERVER_CORE } from './contestant.ts'
import type { Measurement } from './measurement.ts'
import { spread } from './ratio.ts'
import { cell, table } from './report.ts'
import type { TakeFigures } from './take-loop.ts'

const LOOP = join(import.meta.dirname, 'take-loop.js')
const COUNTER = 'a bare counter'

/** What take-loop.ts knows them by. */
const CASES: Readonly<Record<string, string>> = {
  [COUNTER]: 'counter',
  'Sequence.take(), ids below 2^31': 'small',
  'Sequence.take(), ids from 2^40': 'number',
  'Sequence.take(), ids from 2^53': 'bigint',
  'a /new on the express lane, ids from 2^40': 'lane',
}

const run = promisify(execFile)

/** The core's own cost, without sockets: time and garbage for each id. */
export const takeMeasurement: Measurement = {
  name: 'take',
  async measure({ rounds: count }) {
    const rounds: Record<string, TakeFigures>[] = []
    for (let i = 0; i < count; i++) {
      const round: Record<string, TakeFigures> = {}
      for (const [name, argument] of Object.entries(CASES)) round[name] = await runLoop(argument)
      rounds.push(round)
    }
    const over = (figure: (round: Record<string, TakeFigures>) => number, digits: number) =>
      cell(spread(rounds.map(figure)), digits)
    const ns = (round: Record<string, TakeFigures>, name: string) => round[name]?.ns ?? Number.NaN
    const rows = Object.keys(CASES).map((name) => [
      name,
      over((round) => ns(round, name) / ns(round, COUNTER), 2),
      over((round) => ns(round, name), 1),
      over((round) => round[name]?.bytes ?? Number.NaN, 1),
    ])
    return {
      markdown: [
        '# The core alone',
        `One call after the other in a fresh process for each line, ${count} rounds: median (least – greatest). ` +
          'Bytes are what the heap grew by, over a million calls without a garbage collection. The lane answers on a socket that only counts.',
        table(['', `time, ${COUNTER} = 1`, 'ns of CPU time a call', 'bytes a call'], rows),
      ].join('\n\n'),
      data: { rounds },
    }
  },
}

async function runLoop(argument: string): Promise<TakeFigures> {
  // Room for a million calls' garbage, so that no collection hides it.
  const flags = ['--expose-gc', '--min-semi-space-size=1024', '--max-semi-space-size=1024']
  const { stdout } = await run('taskset', ['-c', SERVER_CORE, process.execPath, ...flags, LOOP, argument])
  return JSON.parse(stdout)
}
