import type { Sequence } from '../../core/sequence.ts'
import type { Sequences } from '../../core/sequences.ts'
import type { Tally } from '../tally.ts'
import { answerAlloc } from './alloc.ts'
import { answerNew } from './new.ts'
import type { Reply } from './reply.ts'

/** Answers a request for ids: `query` is what follows `?` in its target, and the form of a POST. */
export type IdRoute = (query: string, accept: string | undefined) => Reply | Promise<Reply>

/** By path. */
export type IdRoutes = ReadonlyMap<string, IdRoute>

export interface IdRoutesOptions {
  readonly generator: Sequence
  readonly sequences: Sequences
  /** Most ids that one request may ask for. */
  readonly requestIdsMax: number
  readonly tally: Tally
}

/** The routes that the express lane answers as well as Hono. */
export function idRoutes({ generator, sequences, requestIdsMax, tally }: IdRoutesOptions): IdRoutes {
  return new Map<string, IdRoute>([
    ['/new', counted((query, accept) => answerNew(generator, query, accept, requestIdsMax), tally)],
    ['/alloc', counted((query, accept) => answerAlloc(sequences, query, accept, requestIdsMax), tally)],
  ])
}

/** A route whose ids and failures are counted. It stays synchronous where the route is. */
export function counted(answer: IdRoute, tally: Tally): IdRoute {
  const count = (reply: Reply) => {
    tally.count(reply)
    return reply
  }
  return (query, accept) => {
    const reply = answer(query, accept)
    return reply instanceof Promise ? reply.then(count) : count(reply)
  }
}
