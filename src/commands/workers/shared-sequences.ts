import { Sequences, type SequencesOptions } from '../../core/sequences.ts'

/** What was done to a sequence of the store: made or moved, or retired. */
export interface Change {
  /** null: the generator. */
  readonly name: string | null
  readonly retired: boolean
}

/** The named sequences of a worker. What is changed by way of one worker, all workers of the tree hear of. */
export class SharedSequences extends Sequences {
  readonly #tell: (change: Change) => void

  constructor(options: SequencesOptions, tell: (change: Change) => void) {
    super(options)
    this.#tell = tell
  }

  override renew(name: string): void {
    super.renew(name)
    this.#tell({ name, retired: false })
  }

  override drop(name: string): void {
    super.drop(name)
    this.#tell({ name, retired: true })
  }

  /** Takes note of a change that the other workers know of, or find out as this one did. */
  hear(name: string, retired: boolean): void {
    if (retired) super.drop(name)
    else super.renew(name)
  }
}
