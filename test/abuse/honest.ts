import { createSocket } from 'node:dgram'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long an honest client waits between two requests: fleets of them do not ask as fast as they can. */
const PAUSE_MS = 5
/** A datagram may be lost; then it is asked for again. */
const DATAGRAM_MS_MAX = 2_000
const ANSWER_MS_MAX = 20_000

/** One request and its answer, which is the id, or what went wrong. */
type Ask = () => Promise<string>

export interface Ports {
  readonly http: number
  readonly redis: number
  /** Undefined where rules are not asked for. */
  readonly udp?: number
}

/** Clients that ask every front for ids, one after the other, and note how long it took and what went wrong. */
export class HonestClients {
  readonly tookMs: Record<string, number[]> = {}
  readonly failures: string[] = []
  /** Every id, by the sequence that it is of. */
  readonly ids = new Map<string, string[]>()
  readonly #ends: (() => void)[] = []
  readonly #running: Promise<void>[] = []
  #stopping = false

  constructor({ http, redis, udp }: Ports) {
    this.#run('GET /new', 'generator', this.#http(http, 'GET', '/new'))
    this.#run('GET /alloc', 'honest', this.#http(http, 'GET', '/alloc?app_tag=honest'))
    // By way of node:http, whether there is an express lane or not.
    this.#run('POST /new', 'generator', this.#http(http, 'POST', '/new?x=1'))
    this.#run('INCR', 'honest', this.#redis(redis))
    if (udp !== undefined) this.#run('UDP', 'rule', this.#udp(udp))
  }

  get asked(): number {
    return Object.values(this.tookMs).reduce((sum, { length }) => sum + length, 0)
  }

  /** Whether every kind of request has been answered at least `times` times. */
  haveEach(times: number): boolean {
    return Object.values(this.tookMs).every(({ length }) => length >= times)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
    for (const end of this.#ends) end()
  }

  #run(name: string, sequence: string, ask: Ask): void {
    const took: number[] = []
    this.tookMs[name] = took
    const ids = this.ids.get(sequence) ?? []
    this.ids.set(sequence, ids)
    const run = async () => {
      while (!this.#stopping) {
        const startMs = performance.now()
        try {
          ids.push(idIn(await ask()))
          took.push(performance.now() - startMs)
        } catch (error) {
          this.failures.push(`${name}: ${(error as Error).message}`)
        }
        await sleep(PAUSE_MS)
      }
    }
    this.#running.push(run())
  }

  #http(port: number, method: string, path: string): Ask {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    this.#ends.push(() => agent.destroy())
    return () =>
      new Promise((resolve, reject) => {
        const outgoing = request(
          { port, host: '127.0.0.1', method, path, agent, timeout: ANSWER_MS_MAX },
          (response) => {
            let body = ''
            response.setEncoding('utf8').on('data', (text: string) => {
              body += text
            })
            response.on('end', () => resolve(body)).on('error', reject)
          },
        )
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
        outgoing.on('error', reject).end()
      })
  }

  #redis(port: number): Ask {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#ends.push(() => socket.destroy())
    let settle: ((answer: string) => void) | undefined
    let fail: ((error: Error) => void) | undefined
    socket.on('data', (reply: Buffer) => settle?.(reply.toString()))
    socket.on('error', () => {})
    socket.on('close', () => fail?.(new Error('closed')))
    return () =>
      new Promise((resolve, reject) => {
        settle = resolve
        fail = reject
        if (socket.destroyed) reject(new Error('closed'))
        socket.write('INCR honest\r\n')
      })
  }

  #udp(port: number): Ask {
    const socket = createSocket('udp4')
    this.#ends.push(() => socket.close())
    let settle: ((answer: string) => void) | undefined
    socket.on('message', (reply) => settle?.(reply.toString()))
    return async () => {
      for (const deadlineMs = performance.now() + ANSWER_MS_MAX; performance.now() < deadlineMs; ) {
        const answer = new Promise<string>((resolve) => {
          settle = resolve
        })
        socket.send('{"action":"get","rule_name":"task","app_name":"honest"}', port, '127.0.0.1')
        const late = new AbortController()
        const first = await Promise.race([
          answer,
          sleep(DATAGRAM_MS_MAX, undefined, { signal: late.signal }).catch(() => undefined),
        ])
        late.abort()
        if (first !== undefined) return first
      }
      throw new Error('no answer')
    }
  }
}

/** The id in an answer of any front. Throws with the whole answer where there is none. */
function idIn(answer: string): string {
  const [, id] =
    /(?:"data":\{|"success",)"id":(\d+)\}|^:(\d+)\r\n$|"data":"(\w+)"/.exec(answer)?.filter(Boolean) ?? []
  if (id === undefined) throw new Error(answer)
  return id
}
