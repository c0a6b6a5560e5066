import { SequenceError } from '../../core/errors.ts'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import type { GeneratorAgreement } from '../../core/store.ts'
import { storeFindings } from '../inspection.ts'
import { judgeCluster, type ReplicaRow } from './inspection-cluster.ts'
import { type Answer, type Ask, asking, asSequenceError, needed, rowsOf } from './inspection-questions.ts'
import { SchemaInspection, type SchemaReport } from './inspection-schema.ts'
import { judgeServer, type Server, serverOf, type Variables } from './inspection-server.ts'
import type { MysqlAddress } from './session.ts'
import type { Transactions } from './transactions.ts'

export interface InspectionOptions {
  readonly transactions: Transactions
  readonly address: Pick<MysqlAddress, 'host' | 'socketPath' | 'tls'>
  readonly connectionsMax: number
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  /** Whether leases are recorded, and leases on record heeded. */
  readonly provenance: boolean
  /** Names the server. */
  readonly description: string
}

/** What is looked at of the connection, the user and the clocks. */
export const connectionFindings = {
  tls: {
    severities: ['warning'],
    why: 'the ids, the names of sequences and the login cross the network for all to read and to change',
  },
  'clock-skew': {
    severities: ['warning'],
    why: 'no id depends on it, but the times in logs and in update_time differ, and the periods of rules follow the clock that is ahead',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf({ ...storeFindings, ...connectionFindings })

const ROUND_TRIPS = 5
const SKEW_SECONDS_MAX = 60

const SHOW_STATUS = `
SHOW GLOBAL STATUS WHERE Variable_name IN
('Threads_connected', 'wsrep_ready', 'wsrep_cluster_status', 'wsrep_cluster_size', 'Innodb_redo_log_enabled')`

/** Of all sources; servers know one of these, by age. */
const SHOW_REPLICA = {
  MariaDB: ['SHOW ALL SLAVES STATUS'],
  MySQL: ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS'],
}

/** Looks at the server and its tables, as `Store.inspect` promises. */
export class Inspection {
  readonly #options: InspectionOptions
  readonly #ask: Ask

  constructor(options: InspectionOptions) {
    this.#options = options
    this.#ask = asking(options.transactions)
  }

  async run(): Promise<Finding[]> {
    const { address, description } = this.#options
    const tls = judgeTls(address)
    const roundTripMs = await this.#roundTripMs()
    if (roundTripMs instanceof SequenceError) return [tls, unreachable(roundTripMs)]
    const reachable = ok('store-reachable', `${description} answers in ${roundTripMs.toFixed(1)} ms`)
    try {
      return [reachable, tls, ...(await this.#look())]
    } catch (error) {
      return [unreachable(asSequenceError(error)), tls]
    }
  }

  async #look(): Promise<Finding[]> {
    const { connectionsMax } = this.#options
    const variables = await this.#variables()
    const server = serverOf(variables)
    const { findings, generatorTable } = await this.#tables(server)
    return [
      ...judgeServer(variables, { connectionsMax }),
      ...judgeCluster(variables, { replica: await this.#replica(server), generatorTable }),
      await this.#clock(),
      ...findings,
    ]
  }

  #tables({ product }: Server): Promise<SchemaReport> {
    return new SchemaInspection({ ...this.#options, ask: this.#ask, isTidb: product === 'TiDB' }).run()
  }

  /** Of the fastest of a few. */
  async #roundTripMs(): Promise<number | SequenceError> {
    return this.#options.transactions
      .run(async (session) => {
        const times: number[] = []
        while (times.length < ROUND_TRIPS) {
          const startedMs = performance.now()
          await session.run('DO 1')
          times.push(performance.now() - startedMs)
        }
        return Math.min(...times)
      })
      .catch(asSequenceError)
  }

  async #variables(): Promise<Variables> {
    const rows = [...needed(await this.#ask('SHOW VARIABLES')), ...rowsOf(await this.#ask(SHOW_STATUS))]
    return new Map(
      rows.map(({ Variable_name: name, Value: value }) => [String(name).toLowerCase(), String(value)]),
    )
  }

  async #replica({ product }: Server): Promise<readonly ReplicaRow[] | Error> {
    if (product === 'TiDB') return []
    let answer: Answer = []
    for (const statement of SHOW_REPLICA[product]) {
      answer = await this.#ask(statement)
      if (!(answer instanceof SequenceError)) return answer
    }
    return answer instanceof SequenceError && answer.cause instanceof Error ? answer.cause : answer
  }

  async #clock(): Promise<Finding> {
    const startedMs = Date.now()
    const answer = await this.#ask('SELECT UNIX_TIMESTAMP(NOW(3)) AS seconds, @@system_time_zone AS zone')
    const [row] = rowsOf(answer)
    const middleMs = (startedMs + Date.now()) / 2
    const skew = Number(row?.seconds) - middleMs / 1000
    if (!(Math.abs(skew) > SKEW_SECONDS_MAX))
      return ok('clock-skew', `the clocks of the server (${row?.zone}) and of this machine agree`)
    return bad(
      'clock-skew',
      'warning',
      `the clock of the server is ${Math.abs(Math.round(skew))} s ${skew > 0 ? 'ahead of' : 'behind'} that of this machine`,
      'set both clocks by NTP',
    )
  }
}

function unreachable(error: SequenceError): Finding {
  return bad(
    'store-reachable',
    'failed',
    `${error.code}: ${error.message}`,
    error.code === 'STORE_MISCONFIGURED'
      ? 'the server runs and answers: make the mysql settings and the user in the server agree, then check again for what could not be looked at'
      : 'see that the server runs, that this machine reaches it, and that the mysql settings are right; then check again for what could not be looked at',
  )
}

function judgeTls({ host, socketPath, tls }: InspectionOptions['address']): Finding {
  if (tls !== false)
    return ok('tls', 'the connection is encrypted, and the certificate of the server verified')
  if (socketPath !== undefined || /^(localhost|127\..*|::1)$/.test(host))
    return ok('tls', 'the connection does not leave this machine')
  return bad(
    'tls',
    'warning',
    `the connection to ${host} is not encrypted`,
    'set mysql.tls, and mysql.ca_file where its certificate is of an authority of your own',
  )
}
