import type { Contestant } from './contestant.ts'
import { httpLoad, type Load } from './load.ts'
import { seqsvrCommand, sequenceHolder, storeCounts } from './seqsvr.ts'
import type { Suite } from './suite.ts'

const CONNECTIONS = 64

/** `/new` with more and more connections. */
export function connectionsSuite(): Suite {
  const contestants = [1, 10, 100, 1_000].map((connections) => ({
    ...seqsvr(count(connections, 'connection')),
    load: httpLoad('/new', connections),
  }))
  return growth('growth-connections', 'GET /new by connections', contestants, {
    ...httpLoad('/new', CONNECTIONS),
    description: 'wrk, GET /new, with as many connections as each line says',
  })
}

/** `/alloc` over more and more named sequences, all of them in memory. */
export function sequencesSuite(): Suite {
  const contestants = [1, 100, 10_000].map((sequences) => ({
    ...sequenceHolder(count(sequences, 'sequence'), sequences, sequences),
    load: httpLoad('/alloc', CONNECTIONS, sequences),
  }))
  return growth('growth-sequences', 'GET /alloc by named sequences', contestants, {
    ...httpLoad('/alloc', CONNECTIONS, 1),
    description: `wrk, ${CONNECTIONS} connections, GET /alloc, one sequence after the other, of as many as each line says`,
  })
}

/** `/new` with larger and larger leases. */
export function stepSuite(): Suite {
  const contestants = [1, 100, 10_000, 1_000_000].map((step) =>
    seqsvr(`step ${step.toLocaleString('en')}`, { SEQSVR_STEP: String(step) }),
  )
  return growth('growth-step', 'GET /new by step', contestants, httpLoad('/new', CONNECTIONS))
}

/** A suite whose first contestant is what the others are compared with. */
export function growth(name: string, title: string, contestants: readonly Contestant[], load: Load): Suite {
  return { name, title, load, contestants, ceilings: [contestants[0]?.name as string] }
}

export function seqsvr(name: string, env: Readonly<Record<string, string>> = {}): Contestant {
  return {
    name,
    command: (port, directory) => seqsvrCommand(port, directory, env),
    probe: async (port) => (await fetch(`http://127.0.0.1:${port}/new`)).ok,
    storeCounts,
  }
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
}
