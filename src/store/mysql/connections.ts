import { SequenceError } from '../../core/errors.ts'
import { type MysqlAddress, Session } from './session.ts'

export interface ConnectionLimits {
  /** Longest time that TCP, TLS, login and set-up may take together. */
  readonly connectTimeoutMs: number
  /** Most connections at once. */
  readonly connectionsMax: number
}

/** An idle connection is closed after this: well before the server would do it (`wait_timeout` is 5 s). */
const IDLE_MS_MAX = 3_000

interface Waiter {
  readonly admit: () => void
  readonly fail: (error: SequenceError) => void
}

/**
 * The connections of one store. A caller holds a place, of which there are `connectionsMax`, while it uses a
 * connection. A new one is opened only when no idle one is left, so open connections never exceed the places.
 */
export class Connections {
  readonly #address: MysqlAddress
  readonly #limits: ConnectionLimits
  readonly #description: string
  #placesFree: number
  /** In order of arrival. Empty while a place is free. */
  #waiters: Waiter[] = []
  readonly #idle = new Map<Session, NodeJS.Timeout>()
  readonly #used = new Set<Session>()
  #closed = false

  constructor(address: MysqlAddress, limits: ConnectionLimits, description: string) {
    this.#address = address
    this.#limits = limits
    this.#description = description
    this.#placesFree = limits.connectionsMax
  }

  /**
   * A connection for one caller, who must `release` it. `reused` tells that the server may have closed it
   * meanwhile. Rejects at `deadlineMs` (on the clock of `performance.now`), or with what the driver says.
   */
  async acquire(deadlineMs: number): Promise<{ session: Session; reused: boolean }> {
    await this.#takePlace(deadlineMs)
    const idle = this.#takeIdle()
    if (idle !== undefined) return { session: idle, reused: true }
    const session = new Session(this.#address)
    this.#used.add(session)
    const longestMs = Math.min(this.#limits.connectTimeoutMs, deadlineMs - performance.now())
    const timer = setTimeout(
      () => session.destroy(this.#unavailable(`accepted no connection within ${Math.round(longestMs)} ms`)),
      longestMs,
    )
    try {
      await session.open()
      return { session, reused: false }
    } catch (error) {
      session.destroy(error)
      this.release(session)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes a connection back. When it was lost, the idle ones are closed too: their server is the same. */
  release(session: Session): void {
    this.#used.delete(session)
    if (session.lost) this.#quitIdle()
    else if (this.#closed) void session.quit()
    else
      this.#idle.set(
        session,
        setTimeout(() => {
          this.#idle.delete(session)
          void session.quit()
        }, IDLE_MS_MAX).unref(),
      )
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#placesFree++
    else waiter.admit()
  }

  /** Ends all connections. What is under way, and what is asked for from now on, rejects with SHUTTING_DOWN. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiter of this.#waiters.splice(0)) waiter.fail(shuttingDown())
    for (const session of this.#used) session.destroy(shuttingDown())
    await this.#quitIdle()
  }

  async #takePlace(deadlineMs: number): Promise<void> {
    if (this.#closed) throw shuttingDown()
    if (this.#placesFree > 0) {
      this.#placesFree--
      return
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          clearTimeout(timer)
          resolve()
        },
        fail: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(this.#unavailable('is slow: all connections are in use'))
      }, deadlineMs - performance.now())
      this.#waiters.push(waiter)
    })
  }

  /** The one used last, so that the others grow old. */
  #takeIdle(): Session | undefined {
    for (const [session, timer] of [...this.#idle].reverse()) {
      clearTimeout(timer)
      this.#idle.delete(session)
      if (session.lost) continue
      this.#used.add(session)
      return session
    }
    return undefined
  }

  async #quitIdle(): Promise<void> {
    const idle = [...this.#idle]
    this.#idle.clear()
    await Promise.all(
      idle.map(([session, timer]) => {
        clearTimeout(timer)
        return session.quit()
      }),
    )
  }

  #unavailable(what: string): SequenceError {
    return new SequenceError('STORE_UNAVAILABLE', `${this.#description} ${what}`)
  }
}

function shuttingDown(): SequenceError {
  return new SequenceError('SHUTTING_DOWN', 'this instance is shutting down; ask another one')
}
