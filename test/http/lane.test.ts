import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../support/random.ts'
import { mutated } from './fuzz.ts'
import { startInstance } from './instance.ts'
import { corpus } from './lane-corpus.ts'

/*
 * A longer run: SEQSVR_TEST_FUZZ_REQUESTS=1000000 npx vitest run test/http/lane.test.ts
 * The same run again: SEQSVR_TEST_FUZZ_SEED=<the seed that it printed>
 */
const REQUESTS = Number(process.env.SEQSVR_TEST_FUZZ_REQUESTS ?? 4_000)
const SEED = Number(process.env.SEQSVR_TEST_FUZZ_SEED ?? Date.now() % 2 ** 31)

const PLAIN = 'GET /new HTTP/1.1\r\nHost: localhost:8000\r\n\r\n'
/** Sent last: its answer tells that the connection was still open, and ends it. */
const SENTINEL = 'GET /livez HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n'
const SENTINEL_ANSWER = 'Connection: close\r\nContent-Length: 33\r\n\r\n{"code":0,"msg":"ok","data":null}'
const NO_HTTP =
  /(?:HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n(?:Date\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n)?\r\n)?(?:\(hung\))?$/
/** A server that has not answered the sentinel by then waits for more bytes of something before it. */
const HUNG_MS = 700
/** Between packets, for the few cases in which what node:http answers depends on when they come. */
const CALM_MS = 50
const EXCHANGES_AT_ONCE = 40

type Pieces = readonly string[]

/** The servers' ends of connections, by both ports: the system gives one port to two clients of different servers. */
const accepted = new Map<string, Socket>()
subscribe('net.server.socket', (message) => {
  const { socket } = message as { socket: Socket }
  accepted.set(`${socket.remotePort} ${socket.localPort}`, socket)
})

/** All that a server answers to these bytes, in this many packets, until one of the two closes. */
async function exchange(port: number, pieces: Pieces, pauseMs: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let answer = ''
  let hung: NodeJS.Timeout | undefined
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // Servers reset connections with unread garbage: what was answered before is what counts.
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  const ports = `${socket.localPort} ${port}`
  let sent = 0
  for (const piece of [...pieces, SENTINEL]) {
    socket.write(piece, 'latin1')
    sent += piece.length
    // A packet by itself: the server has read it before the next one leaves.
    while (!socket.destroyed && (accepted.get(ports)?.bytesRead ?? 0) < sent) await turn()
    if (pauseMs > 0) await sleep(pauseMs)
  }
  accepted.delete(ports)
  if (!socket.destroyed)
    hung = setTimeout(() => {
      answer += '(hung)'
      socket.end()
    }, HUNG_MS)
  await closed
  clearTimeout(hung)
  return answer
}

/** The answers without what may differ between two servers. */
function comparable(answer: string): string {
  return answer.replace(/\d{13}/g, 'ID').replace(/^Date: .*$/gm, 'Date')
}

function isEqual(lane: string, nodeHttp: string): boolean {
  return lane === nodeHttp
}

/**
 * At a request that is no HTTP, node:http ends the connection at once, and the answers to requests before it in the same packet
 * get out or not, as does the 400: it depends on whether it reads the socket itself or was handed it with its first bytes.
 */
function isEqualUntilNoHttp(lane: string, nodeHttp: string): boolean {
  if (lane === nodeHttp) return true
  const areEnded = [lane, nodeHttp].every((answer) => !answer.includes(SENTINEL_ANSWER))
  return areEnded && nodeHttp.replace(NO_HTTP, '').startsWith(lane.replace(NO_HTTP, ''))
}

/** Every id in some answers. */
function idsIn(answer: string): string[] {
  // The first id of a list stands twice in its reply.
  return answer.replace(/"id":"?\d+"?,"ids"/g, '').match(/\d{13}/g) ?? []
}

/** The same instance twice, with the lane and without. Ids have 13 digits, so that lengths do not differ. */
async function startBoth(): Promise<readonly [lane: number, nodeHttp: number]> {
  const ports: number[] = []
  for (const lane of [true, false]) {
    const { url, store } = await startInstance({ 'http.express_lane': lane })
    await store.generator.advanceBy(1_000_000_000_000n)
    for (const [i, name] of ['orders', 'cold', '~._-'].entries())
      await store.segments.create(name, BigInt(i + 2) * 1_000_000_000_000n, 1000)
    ports.push(Number(new URL(url).port))
  }
  return ports as [number, number]
}

/** Cases in which the two servers differ, at most a few of them. */
async function differences(cases: readonly Pieces[], areSame = isEqual): Promise<string[]> {
  const ports = await startBoth()
  const found: string[] = []
  const seen = new Set<string>()
  const queue = [...cases]

  async function differ(pieces: Pieces, pauseMs: number): Promise<string | undefined> {
    const [ours, theirs] = await Promise.all(ports.map((port) => exchange(port, pieces, pauseMs)))
    for (const id of idsIn(ours as string)) {
      if (seen.has(id)) found.push(`${id} twice: ${JSON.stringify(pieces)}`)
      seen.add(id)
    }
    const [lane, nodeHttp] = [ours, theirs].map((answer) => comparable(answer as string))
    return areSame(lane as string, nodeHttp as string)
      ? undefined
      : JSON.stringify({ pieces, lane, nodeHttp }, undefined, 1)
  }

  async function work(): Promise<void> {
    for (let pieces = queue.pop(); pieces !== undefined && found.length < 5; pieces = queue.pop()) {
      if ((await differ(pieces, 0)) === undefined) continue
      const difference = await differ(pieces, CALM_MS)
      if (difference !== undefined) found.push(difference)
    }
  }
  await Promise.all(Array.from({ length: EXCHANGES_AT_ONCE }, work))
  return found
}

describe('the express lane answers as node:http and Hono do', () => {
  it('whole requests, alone and behind a plain one', async () => {
    expect(await differences(corpus.flatMap((text) => [[text], [PLAIN, text], [PLAIN + text]]))).toEqual([])
  })

  it('requests in two packets, split at every byte', async () => {
    const cases = corpus
      .filter(({ length }) => length < 200)
      .flatMap((text) =>
        Array.from({ length: text.length - 1 }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)]),
      )
    const random = seededRandom(1)
    // All cuts of the plain ones, and every eighth of the others.
    const chosen = cases.filter(([head = '', tail = '']) => head + tail === PLAIN || random() < 1 / 8)
    expect(await differences(chosen)).toEqual([])
  })

  it(`mutated and pipelined requests (SEQSVR_TEST_FUZZ_SEED=${SEED})`, async () => {
    const random = seededRandom(SEED)
    const cases = Array.from({ length: REQUESTS }, () => mutated(random))
    expect(await differences(cases, isEqualUntilNoHttp)).toEqual([])
  })
})
