import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { mutated } from '../http/fuzz.ts'
import { conversation, cut, damaged } from '../redis/fuzz.ts'
import { seededRandom } from '../support/random.ts'
import { fuzzedDatagrams } from '../udp/fuzz.ts'
import { type AbusedInstance, startAbused } from './instance.ts'

export interface FuzzFigures {
  readonly front: 'http' | 'redis' | 'udp'
  /** HTTP requests, Redis commands, or datagrams. */
  readonly sent: number
  readonly seconds: number
  readonly grownMiB: number
  /** Empty where all is well. */
  readonly problems: readonly string[]
}

/** Enough that the memory has the size that it works with, which takes some seconds: a run of fewer tells nothing of growth. */
const WARM_UP = 100_000
const CONNECTIONS_AT_ONCE = 32
/** Whatever was sent, an answer or the end of the connection comes by then. */
const HANG_MS = 15_000
const DATAGRAMS_AT_ONCE = 50
const GROWTH_MIB_MAX = 50
/** How long the memory may take to shrink to that. */
const SHRINK_MS_MAX = 10_000
const MIB = 1024 * 1024

/** Besides those of the corpus. */
const PATHS = [
  ...['/', '/health', '/rule', '/metrics', '/docs', '/docs/start.js', '/openapi.json'],
  ...['/admin/sequences', '/admin/sequences/a/advance', '/admin/whois', '/status/live', '/status/login'],
]

/** Sends some bytes and resolves with how many requests were in it, or rejects where the server hangs. */
type Send = (random: () => number) => Promise<number>

/** Sends `count` requests, many of them damaged, to each front of a real process. The same `seed` sends the same. */
export async function fuzz(count: number, seed: number): Promise<FuzzFigures[]> {
  const figures: FuzzFigures[] = []
  for (const front of ['http', 'redis', 'udp'] as const) {
    // Names that come of damage would fill the memory as those of honest clients do: up to a limit.
    const instance = await startAbused({
      SEQSVR_SEQUENCES_MAX: '100',
      SEQSVR_UDP_COUNTERS_MAX: '100',
      SEQSVR_ADMIN_TOKEN: 'a-token-of-the-tests',
      // Node 24 lets garbage of its own accord pile up to 128 MB, which says nothing of what is kept.
      NODE_OPTIONS: '--max-semi-space-size=16',
    })
    try {
      figures.push({ front, ...(await fuzzFront(instance, front, count, seededRandom(seed))) })
    } finally {
      await instance.end()
    }
  }
  return figures
}

async function fuzzFront(
  instance: AbusedInstance,
  front: FuzzFigures['front'],
  count: number,
  random: () => number,
): Promise<Omit<FuzzFigures, 'front'>> {
  const send = { http: sendHttp, redis: sendRedis, udp: sendUdp }[front](instance.ports[front])
  const problems: string[] = []
  let sent = 0
  async function run(until: number): Promise<void> {
    const work = async () => {
      while (sent < until && problems.length < 5)
        try {
          const requests = await send(random)
          sent += requests
        } catch (error) {
          problems.push((error as Error).message)
        }
    }
    await Promise.all(Array.from({ length: front === 'udp' ? 1 : CONNECTIONS_AT_ONCE }, work))
  }

  const startMs = performance.now()
  await run(Math.min(count, WARM_UP))
  const warmBytes = instance.process.residentBytes
  await run(count)
  const seconds = (performance.now() - startMs) / 1000
  const grownMiB = () => (instance.process.running ? (instance.process.residentBytes - warmBytes) / MIB : 0)
  const shrunkMs = performance.now() + SHRINK_MS_MAX
  while (grownMiB() > GROWTH_MIB_MAX && performance.now() < shrunkMs) await sleep(100)

  if (!instance.process.running) problems.push(`it ended: ${instance.process.output.slice(-2_000)}`)
  else if ((await fetch(`${instance.process.url}/new`)).status !== 200) problems.push('it serves no ids')
  else if (grownMiB() > GROWTH_MIB_MAX) problems.push('its memory grew')
  return { sent, seconds, grownMiB: grownMiB(), problems }
}

function sendHttp(port: number): Send {
  return async (random) => {
    const path = random() < 0.5 ? undefined : PATHS[Math.floor(random() * PATHS.length)]
    const pieces = mutated(random).map((piece) =>
      Buffer.from(path === undefined ? piece : piece.replaceAll('/new', path), 'latin1'),
    )
    await exchange(port, pieces)
    return (
      Buffer.concat(pieces)
        .toString('latin1')
        .match(/HTTP\//g)?.length ?? 1
    )
  }
}

function sendRedis(port: number): Send {
  return async (random) => {
    const { bytes: sound, commands } = conversation(random)
    let bytes = sound
    for (let i = Math.floor(random() * 3); i > 0; i--) bytes = damaged(bytes, random)
    await exchange(port, random() < 0.3 ? cut(bytes, random) : [bytes])
    // Each has an ECHO behind it.
    return 2 * commands
  }
}

/** Sends, and resolves when the server has ended the connection. */
function exchange(port: number, pieces: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const hung = setTimeout(() => {
      reject(new Error(`no end after ${JSON.stringify(pieces.map((piece) => piece.toString('latin1')))}`))
      socket.destroy()
    }, HANG_MS)
    socket.on('error', () => {})
    socket.resume().once('close', () => {
      clearTimeout(hung)
      resolve()
    })
    for (const piece of pieces) socket.write(piece)
    socket.end()
  })
}

function sendUdp(port: number): Send {
  const socket = createSocket('udp4').unref()
  let mark = 0
  let marked: (() => void) | undefined
  socket.on('message', (reply) => {
    if (reply.includes(`"seq":"mark${mark}"`)) marked?.()
  })
  let next: (() => Buffer) | undefined
  return async (random) => {
    next ??= fuzzedDatagrams(random)
    for (let i = 0; i < DATAGRAMS_AT_ONCE; i++) socket.send(next(), port, '127.0.0.1')
    mark++
    const answer = new Promise<boolean>((resolve) => {
      marked = () => resolve(true)
    })
    const honest = `{"action":"monitor","rule_name":"task","app_name":"honest","seq":"mark${mark}"}`
    // A datagram may be lost.
    for (const deadlineMs = performance.now() + HANG_MS; performance.now() < deadlineMs; ) {
      socket.send(honest, port, '127.0.0.1')
      const timer = new AbortController()
      const late = sleep(1_000, false, { signal: timer.signal }).catch(() => false)
      const isAnswered = await Promise.race([answer, late])
      timer.abort()
      if (isAnswered) return DATAGRAMS_AT_ONCE
    }
    throw new Error('no answer over UDP')
  }
}
