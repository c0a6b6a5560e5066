import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase, dropDatabase, MysqlServer } from '../test/support/mysql-server.ts'
import { type Contestant, SERVER_CORE } from './contestant.ts'
import { type FleetFigures, simulateFleet } from './fleet-simulation.ts'
import { count, growth } from './growth.ts'
import type { LeaseLoopOptions } from './lease-loop.ts'
import type { Load } from './load.ts'
import { type Measurement, measureSuite, type Results } from './measurement.ts'
import { spread } from './ratio.ts'
import { table } from './report.ts'
import type { Round, Suite, SuiteSettings } from './suite.ts'

const LOOP = join(import.meta.dirname, 'lease-loop.js')
const STEP = 100
const FLEETS = [1, 10, 100, 1_000]
const IDS_PER_SECOND = 10_000

const run = promisify(execFile)

/** How many lease transactions one MariaDB does, by instances; and, from that, fleets in virtual time. */
export const leasesMeasurement: Measurement = {
  name: 'leases',
  async measure(settings) {
    const results = await onMariaDb(settings, (server) =>
      growth(
        'leases',
        'Lease transactions of one MariaDB, by instances that lease as fast as they can',
        [1, 2, 4, 8, 16].map((instances) => leaser(server, count(instances, 'instance'), instances, 1)),
        described('One lease a transaction'),
      ),
    )
    const { rounds } = results.data as { readonly rounds: readonly Round[] }
    const transactionsPerSecond = spread(
      rounds.map((round) =>
        Math.max(...Object.values(round).map(({ requestsPerSecond }) => requestsPerSecond)),
      ),
    ).median
    const fleets = await simulateFleets(transactionsPerSecond)
    return {
      ...results,
      markdown: `${results.markdown}\n\n${fleetsReport(transactionsPerSecond, fleets)}`,
      data: { ...results.data, fleets },
    }
  },
}

/** The same for one instance, by the leases that it takes in a transaction. */
export const rowsMeasurement: Measurement = {
  name: 'leases-each',
  measure: (settings) =>
    onMariaDb(settings, (server) =>
      growth(
        'leases-each',
        'Lease transactions of one MariaDB, by leases in each',
        [1, 10, 128].map((leases) => leaser(server, count(leases, 'lease'), 1, leases)),
        described('One instance'),
      ),
    ),
}

async function onMariaDb(settings: SuiteSettings, suiteOn: (server: MysqlServer) => Suite): Promise<Results> {
  const server = await MysqlServer.start()
  try {
    return await measureSuite(suiteOn(server), settings)
  } finally {
    await server.stop()
  }
}

function described(who: string): Load {
  return {
    description:
      `${who}, with the store's own code, in one process on one core; MariaDB with innodb_flush_log_at_trx_commit = 1 on the other. ` +
      'A request is a transaction',
    run: () => Promise.reject(new Error('every contestant has a load of its own')),
  }
}

function leaser({ login }: MysqlServer, name: string, instances: number, leases: number): Contestant {
  return {
    name,
    probe: async () => true,
    load: {
      description: '',
      async run(_port, seconds) {
        const database = await createDatabase(login)
        const options: LeaseLoopOptions = { database, instances, leases, step: STEP, seconds }
        const { stdout } = await run('taskset', [
          ...['-c', SERVER_CORE, process.execPath, LOOP, JSON.stringify(options)],
        ])
        await dropDatabase(database)
        return JSON.parse(stdout)
      },
    },
  }
}

interface Fleet extends FleetFigures {
  readonly instances: number
  readonly step: number
}

async function simulateFleets(transactionsPerSecond: number): Promise<Fleet[]> {
  const fleets: Fleet[] = []
  for (const step of [STEP, 10_000])
    for (const instances of FLEETS) {
      const figures = await simulateFleet({
        instances,
        step,
        transactionsPerSecond,
        idsPerSecond: IDS_PER_SECOND,
      })
      fleets.push({ instances, step, ...figures })
    }
  return fleets
}

function fleetsReport(transactionsPerSecond: number, fleets: readonly Fleet[]): string {
  const rows = fleets.map(({ instances, step, idsShare, transactionsPerSecond: asked, waitedShare }) => [
    count(instances, 'instance'),
    String(step),
    idsShare.toFixed(2),
    (asked / transactionsPerSecond).toFixed(3),
    asked.toFixed(1),
    waitedShare.toFixed(4),
  ])
  return [
    '## Fleets on such a database, in virtual time',
    `The core's own sequences, each asked for ${IDS_PER_SECOND.toLocaleString('en')} ids a second in batches every 10 ms, on a simulated database ` +
      `that does ${transactionsPerSecond.toFixed(0)} lease transactions a second, one after the other: the most of the table above, median over the rounds.`,
    table(
      [
        '',
        'step',
        'ids served, of those asked for',
        'transactions, of what the database does',
        'transactions/s',
        'batches that waited',
      ],
      rows,
    ),
  ].join('\n\n')
}
