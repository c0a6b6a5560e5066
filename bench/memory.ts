import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Contestant, RunningContestant } from './contestant.ts'
import { httpContestants } from './http.ts'
import { httpLoad } from './load.ts'
import type { Measurement } from './measurement.ts'
import { spread } from './ratio.ts'
import { cell, table } from './report.ts'
import { loadSequences, sequenceHolder } from './seqsvr.ts'

const CONNECTIONS = 1_000
const SEQUENCES = 10_000
/** In memory before the others are counted, so that what the first ones need is not shared out among them. */
const SEQUENCES_BEFORE = 100

const holder = sequenceHolder('seqsvr', SEQUENCES, SEQUENCES_BEFORE)

/** Resident bytes: at the start, behind load, and for each thing more that is then held. */
interface Memory {
  readonly atStart: number
  readonly afterLoad: number
  readonly each: number
}

type Memories = Readonly<Record<string, Memory>>

/** What idle keep-alive connections and named sequences cost in resident memory. */
export const memoryMeasurement: Measurement = {
  name: 'memory',
  async measure({ rounds, seconds }) {
    const connections: Memories[] = []
    const sequences: Memories[] = []
    for (let i = 0; i < rounds; i++) {
      const round: Record<string, Memory> = {}
      for (const contestant of httpContestants())
        round[contestant.name] = await measure(contestant, '/new', seconds, CONNECTIONS, openConnections)
      connections.push(round)
      const holding = await measure(holder, '/alloc?app_tag=t0', seconds, SEQUENCES, (port) =>
        loadSequences(port, SEQUENCES),
      )
      sequences.push({ [holder.name]: holding })
    }
    return {
      markdown: [
        '# Resident memory',
        `${rounds} rounds; in each, every contestant has a fresh process, which first gets ${seconds} s of load. Median (least – greatest). ` +
          'Resident memory is what the system gave, with what the garbage collector has not returned.',
        `## ${CONNECTIONS.toLocaleString('en')} idle keep-alive connections, each of which has had an answer`,
        tableOf('connection', connections, 'node:net'),
        `## ${SEQUENCES.toLocaleString('en')} named sequences in memory, each with a lease`,
        tableOf('sequence', sequences),
      ].join('\n\n'),
      data: { rounds, seconds, connections, sequences },
    }
  },
}

async function measure(
  contestant: Contestant,
  target: string,
  seconds: number,
  things: number,
  hold: (port: number) => Promise<unknown>,
): Promise<Memory> {
  const running = await RunningContestant.start(contestant)
  try {
    const atStart = running.residentBytes
    await httpLoad(target, 64).run(running.port, seconds)
    const afterLoad = running.residentBytes
    const held = await hold(running.port)
    if (held === false) throw new Error(`${contestant.name} does not hold all of it`)
    const each = (running.residentBytes - afterLoad) / things
    if (Array.isArray(held)) for (const socket of held) socket.destroy()
    return { atStart, afterLoad, each }
  } finally {
    await running.stop()
  }
}

function openConnections(port: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('GET /new HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await once(socket, 'data')
      return socket
    }),
  )
}

function tableOf(thing: string, rounds: readonly Memories[], ceiling?: string): string {
  const names = Object.keys(rounds[0] ?? {})
  const over = (name: string, figure: (memory: Memory, round: Memories) => number, digits: number) =>
    cell(spread(rounds.map((round) => figure(round[name] as Memory, round))), digits)
  const head = ['', 'MB at start', 'MB after load', `kB a ${thing}`]
  if (ceiling !== undefined) head.push(`kB a ${thing}, ${ceiling} = 1`)
  const rows = names.map((name) => [
    name,
    over(name, ({ atStart }) => atStart / 1e6, 0),
    over(name, ({ afterLoad }) => afterLoad / 1e6, 0),
    over(name, ({ each }) => each / 1e3, 1),
    ...(ceiling === undefined
      ? []
      : [over(name, ({ each }, round) => each / (round[ceiling] as Memory).each, 2)]),
  ])
  return table(head, rows)
}
