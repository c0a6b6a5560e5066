import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What one kind of abuser sends at first, and then again and again; and whether it reads what comes back. */
interface Behaviour {
  readonly protocol: 'http' | 'redis'
  readonly opening: string
  readonly drip: string
  /** `never`, or a packet every `DRIP_MS`. */
  readonly reads: 'all' | 'packets' | 'never'
}

/** How often an abuser does something, so that no time-out for silence can catch it. */
const DRIP_MS = 1_000

const HEAD = 'GET /new HTTP/1.1\r\nHost: a\r\n'

/** More than the system keeps of a connection, which is some 5 MB, so that the server itself is left with replies. */
const PLAIN_PIPELINE = `${HEAD}\r\n`.repeat(40_000)
const LARGE_PIPELINE = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(40)
const ECHO_PIPELINE = `*2\r\n$4\r\nECHO\r\n$60000\r\n${'a'.repeat(60_000)}\r\n`.repeat(100)
const POST_HEAD = 'POST /alloc HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n'

export const behaviours = {
  'slow headers': { protocol: 'http', opening: HEAD, drip: 'X: a\r\n', reads: 'all' },
  'slow headers behind an answer': {
    protocol: 'http',
    opening: `${HEAD}\r\n${HEAD}`,
    drip: 'X: a\r\n',
    reads: 'all',
  },
  'slow body': {
    protocol: 'http',
    opening: `${POST_HEAD}Content-Length: 1000\r\n\r\napp_tag=`,
    drip: 'a',
    reads: 'all',
  },
  'slow chunked body': {
    protocol: 'http',
    opening: `${POST_HEAD}Transfer-Encoding: chunked\r\n\r\n`,
    drip: '1\r\na\r\n',
    reads: 'all',
  },
  'says nothing over HTTP': { protocol: 'http', opening: '', drip: '', reads: 'all' },
  'reads no ids': { protocol: 'http', opening: PLAIN_PIPELINE, drip: `${HEAD}\r\n`, reads: 'never' },
  'reads large answers slowly': { protocol: 'http', opening: LARGE_PIPELINE, drip: '', reads: 'packets' },
  'slow command': { protocol: 'redis', opening: '*2\r\n$3\r\nGET\r\n$1000\r\n', drip: 'a', reads: 'all' },
  'slow line': { protocol: 'redis', opening: 'GET ', drip: 'a', reads: 'all' },
  'large command that never ends': {
    protocol: 'redis',
    opening: `*17\r\n$4\r\nMGET\r\n${`$60000\r\n${'a'.repeat(60_000)}\r\n`.repeat(15)}`,
    drip: '',
    reads: 'all',
  },
  'reads no replies': {
    protocol: 'redis',
    opening: ECHO_PIPELINE,
    drip: 'PING\r\n',
    reads: 'never',
  },
} as const satisfies Record<string, Behaviour>

type AbuserKind = keyof typeof behaviours

/** A thousand, of which those are few for whom the system keeps 4 MB each. */
export const THOUSAND: Readonly<Record<AbuserKind, number>> = {
  'slow headers': 230,
  'slow headers behind an answer': 120,
  'slow body': 160,
  'slow chunked body': 110,
  'says nothing over HTTP': 110,
  'reads no ids': 5,
  'reads large answers slowly': 15,
  'slow command': 100,
  'slow line': 70,
  'large command that never ends': 65,
  'reads no replies': 15,
}

/** Between two that come: the noise of a thousand at once is not what is looked for. */
const ARRIVAL_MS = 1

/** Connections that misbehave until the server ends them. They come one after the other. */
export class Abusers {
  readonly #sockets: Socket[] = []
  #isEnded = false
  /** Resolves when the last one has come. */
  readonly arrived: Promise<void>

  constructor(numbers: Readonly<Record<string, number>>, ports: Readonly<Record<'http' | 'redis', number>>) {
    this.arrived = this.#arrive(numbers, ports)
  }

  async end(): Promise<void> {
    this.#isEnded = true
    await this.arrived
    for (const socket of this.#sockets) socket.destroy()
  }

  async #arrive(
    numbers: Readonly<Record<string, number>>,
    ports: Readonly<Record<'http' | 'redis', number>>,
  ): Promise<void> {
    for (const [kind, count] of Object.entries(numbers)) {
      const { opening, ...behaviour } = behaviours[kind as AbuserKind]
      const bytes = Buffer.from(opening, 'latin1')
      for (let i = 0; i < count && !this.#isEnded; i++) {
        this.#sockets.push(misbehave(bytes, behaviour, ports[behaviour.protocol]))
        await sleep(ARRIVAL_MS)
      }
    }
  }
}

function misbehave(opening: Buffer, { drip, reads }: Omit<Behaviour, 'opening'>, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  if (reads === 'all') socket.resume()
  if (reads === 'packets') socket.on('data', () => socket.pause())
  if (reads === 'never') socket.pause()
  if (opening.length > 0) socket.write(opening)
  const timer = setInterval(() => {
    if (reads === 'packets') socket.resume()
    if (drip !== '') socket.write(drip, 'latin1')
  }, DRIP_MS)
  socket.once('close', () => clearInterval(timer))
  return socket
}
