/** One way to take ids, over and over, in a process of its own: `node --expose-gc take-loop.js CASE`. Prints TakeFigures. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Sequence } from '../src/core/sequence.ts'
import { counted } from '../src/fronts/http/id-routes.ts'
import { Lane } from '../src/fronts/http/lane.ts'
import { answerNew } from '../src/fronts/http/new.ts'
import { Tally } from '../src/fronts/tally.ts'
import { systemClock } from '../src/system-clock.ts'

export interface TakeFigures {
  readonly ns: number
  readonly bytes: number
}

/** Runs a way so many times. Its loop is its own, so that the compiler sees what it sees in a server: one kind of id. */
type Way = (times: number) => unknown

const WARM_UP_CALLS = 2_000_000
const TIMED_CALLS = 5_000_000
const COUNTED_CALLS = 1_000_000
const LEASE_IDS = 2n ** 30n

class Counter {
  #next = 2 ** 40

  take(): number {
    return this.#next++
  }
}

/** Takes all that is written. */
class FakeSocket extends EventEmitter {
  resume(): void {}
  characters = 0

  write(output: string): boolean {
    this.characters += output.length
    return true
  }

  setNoDelay(): void {}

  setTimeout(): void {}
}

const ways: Record<string, () => Way | Promise<Way>> = {
  counter: () => takes(new Counter()),
  small: async () => takes(await sequenceAt(1n)),
  number: async () => takes(await sequenceAt(2n ** 40n)),
  bigint: async () => takes(await sequenceAt(2n ** 53n)),
  lane: async () => requests(await sequenceAt(2n ** 40n)),
}

const way = await (ways[process.argv[2] as string] as () => Way | Promise<Way>)()
// Twice: what is compiled at first is thrown away when the loop ends, and compiled again with what was learned.
way(WARM_UP_CALLS)
way(WARM_UP_CALLS)
gc()
// CPU time: what else runs on this core has no part in it.
const start = process.cpuUsage()
way(TIMED_CALLS)
const { user, system } = process.cpuUsage(start)
const ns = ((user + system) * 1000) / TIMED_CALLS
gc()
const before = process.memoryUsage().heapUsed
way(COUNTED_CALLS)
const bytes = (process.memoryUsage().heapUsed - before) / COUNTED_CALLS
console.log(JSON.stringify({ ns, bytes } satisfies TakeFigures))

function takes(source: { take(): unknown }): Way {
  return (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) {
      const id = source.take()
      // As a front looks at it. A sum of its own would be what the compiler puts on the heap, once for each id.
      if (typeof id === 'number') sum ^= id
    }
    return sum
  }
}

/** Requests of one connection to the express lane, without a client that reads. */
function requests(generator: Sequence): Way {
  const route = counted((query, accept) => answerNew(generator, query, accept, 1), new Tally())
  const toNodeHttp = () => {
    throw new Error('a plain request stays on the lane')
  }
  const lane = new Lane({ routes: new Map([['/new', route]]), toNodeHttp, keepAliveMs: 60_000 })
  const socket = new FakeSocket()
  lane.accept(socket as unknown as Socket)
  const request = 'GET /new HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n'
  socket.emit('data', Buffer.from(request))
  // The same bytes in another place, as they come from a real socket.
  const again = Buffer.from(request)
  return (times) => {
    for (let i = 0; i < times; i++) socket.emit('data', again)
  }
}

async function sequenceAt(start: bigint): Promise<Sequence> {
  const sequence = new Sequence({
    source: { lease: async () => [{ start, end: start + LEASE_IDS }] },
    clock: systemClock,
    random: Math.random,
    limits: { leaseTargetMs: 2_000, leaseIdsMax: 1_000, waitMsMax: 1_000, waitersMax: 1 },
    observe: () => {},
  })
  await sequence.take()
  return sequence
}

declare function gc(): void
