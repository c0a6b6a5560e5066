import type { Inspector } from '../test/support/tcp-proxy.ts'
import { isOk, StatementReader } from './mysql-statements.ts'

/** Before COMMIT reached the server, or after the server did it and before its answer reached the instance. */
export type CutPoint = 'before' | 'after'

/** Makes a transaction one that reserves ids; those that only look something up are left alone. */
const WRITES = /^\s*(REPLACE|INSERT|UPDATE|DELETE)\b/i

/** Cuts connections at the COMMIT of a lease, on the connections of one proxy. */
export class CommitCutter {
  /** Asked at each COMMIT of a lease. Undefined lets it pass. */
  decide: () => CutPoint | undefined = () => undefined
  readonly #counts: Record<CutPoint | 'passed', number> = { passed: 0, before: 0, after: 0 }

  /** COMMITs that passed, of leases and of others, and those that were cut; `after` counts where the server said OK. */
  get counts(): Readonly<Record<CutPoint | 'passed', number>> {
    return this.#counts
  }

  /** The inspector of one connection. */
  inspector(): Inspector {
    const statements = new StatementReader()
    let hasWritten = false
    let cutsAtAnswer = false
    return {
      cutsRequest: (chunk) => {
        for (const statement of statements.read(chunk)) {
          if (WRITES.test(statement)) hasWritten = true
          else if (statement === 'START TRANSACTION') hasWritten = false
          else if (statement === 'COMMIT') {
            const point = hasWritten ? this.decide() : undefined
            if (point === undefined) this.#counts.passed++
            else if (point === 'after') cutsAtAnswer = true
            else {
              this.#counts.before++
              return true
            }
          }
        }
        return false
      },
      cutsAnswer: (chunk) => {
        if (cutsAtAnswer && isOk(chunk)) this.#counts.after++
        return cutsAtAnswer
      },
    }
  }
}
