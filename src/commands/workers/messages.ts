import type { Config } from '../../config/schema.ts'
import type { InstanceStatus } from '../../status/status.ts'
import type { Change } from './shared-sequences.ts'

/*
 * What the primary and its workers say to each other. They are structured clones: JSON would make null of the infinite
 * values among the metrics.
 */

/** What a worker asks of the whole tree, and the primary of each worker. */
export type Question = 'status' | 'metrics'

export interface Answer {
  readonly type: 'answer'
  /** Of the question. */
  readonly id: number
  readonly answer: unknown
}

export type ToWorker =
  | { readonly type: 'start'; readonly config: Config }
  | { readonly type: 'drain'; readonly reason: string }
  | { readonly type: 'changed'; readonly change: Change }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'reload'; readonly id: number; readonly config: Config }
  | Answer

export type ToPrimary =
  // What is sent before this is lost: Node takes it for heard as soon as the process runs.
  | { readonly type: 'hello' }
  | { readonly type: 'up'; readonly status: InstanceStatus; readonly announcement: readonly string[] }
  | { readonly type: 'changed'; readonly change: Change }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | Answer

/** How a worker took a new configuration over. */
export type ReloadOutcome =
  | { readonly taken: true; readonly what: string }
  | { readonly taken: false; readonly why: string }
