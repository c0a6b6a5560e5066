import { setTimeout as pause } from 'node:timers/promises'
import type { CutPoint } from './commit-cutter.ts'
import { type Fault, type FaultName, faultKinds } from './faults.ts'
import type { Fleet, Route } from './fleet.ts'
import type { Plan } from './plan.ts'
import type { Routes } from './routes.ts'

/** A fault that has been. Times are in ms since the load began. */
export interface FaultRecord {
  readonly name: FaultName
  readonly target: string
  readonly startMs: number
  /** When what was broken worked again. */
  readonly endMs: number
  /** From that end, or that of a fault at the same time, until every route concerned had given an id; null when that never was. */
  readonly recoveryMs: number | null
  /** Routes that gave no id. */
  readonly silent: readonly Route[]
}

const PAUSE_MS_MIN = 150
const PAUSE_MS_MAX = 600

/** How long faults last at most: in the first round, which has every kind once, and after it. */
const FIRST_ROUND_MS_MAX = 700
const LATER_MS_MAX = 4_000

/** Of the faults after the first round, how many have company at another place. */
const COMPANY_SHARE = 0.25

const RECOVERY_MS_MAX = 15_000
const CUTS_POLL_MS = 50

const names = Object.keys(faultKinds) as FaultName[]

export interface NemesisOptions {
  readonly fleet: Fleet
  readonly routes: Routes
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Breaks the fleet, one fault after the other, sometimes two at a time, and measures how it recovers. */
export class Nemesis {
  readonly #fleet: Fleet
  readonly #routes: Routes
  readonly #random: () => number
  readonly #signal: AbortSignal
  readonly #startedMs = performance.now()
  readonly faults: FaultRecord[] = []
  /** What went wrong besides ids, in words: processes that ended by themselves, or as they should not. */
  readonly problems: string[] = []

  constructor({ fleet, routes, random, signal }: NemesisOptions) {
    this.#fleet = fleet
    this.#routes = routes
    this.#random = random
    this.#signal = signal
  }

  /** Ids asked for before the first fault must have been given: it measures from a fleet that works. */
  async run(plan: Plan): Promise<void> {
    if (plan.mode === 'cuts') return this.#cut(plan.cuts)
    if (plan.mode === 'kills') return this.#disturbInTurn(this.#shuffledKills(plan), LATER_MS_MAX)
    const endMs = performance.now() + plan.minutes * 60_000
    const possible = this.possible()
    await this.#disturbInTurn(possible, FIRST_ROUND_MS_MAX)
    while (performance.now() < endMs && !this.#signal.aborted) {
      const name = this.#pick(possible)
      const others = possible.filter((other) => faultKinds[other].place !== faultKinds[name].place)
      const company = this.#random() < COMPANY_SHARE ? [this.#pick(others)] : []
      await this.#disturb([name, ...company], LATER_MS_MAX)
    }
  }

  /** The kinds of faults that this machine allows. */
  possible(): FaultName[] {
    const { missing } = this.#fleet
    return names.filter((name) => {
      const { place } = faultKinds[name]
      return !((place === 'clock' || place === 'disk') && missing.has(place))
    })
  }

  async #disturbInTurn(turns: readonly FaultName[], msMax: number): Promise<void> {
    for (const name of turns) if (!this.#signal.aborted) await this.#disturb([name], msMax)
  }

  async #disturb(together: readonly FaultName[], msMax: number): Promise<void> {
    await pause(PAUSE_MS_MIN + this.#random() * (PAUSE_MS_MAX - PAUSE_MS_MIN))
    const faults = together.map((name) => ({
      name,
      fault: faultKinds[name].make(this.#fleet, this.#random, msMax),
    }))
    const times = await Promise.all(faults.map(({ fault }) => this.#time(fault)))
    // Somebody's Ctrl+C has ended the instances as well.
    if (this.#signal.aborted) return
    await this.#restartWhatEnded()
    const recoveringMs = performance.now()
    const routes = new Set(faults.flatMap(({ fault }) => fault.routes))
    const silent = await this.#routes.recovered([...routes], RECOVERY_MS_MAX, this.#signal)
    if (this.#signal.aborted) return
    const recoveryMs = silent.length === 0 ? Math.round(performance.now() - recoveringMs) : null
    faults.forEach(({ name, fault: { target } }, i) => {
      const { startMs, endMs } = times[i] as { startMs: number; endMs: number }
      this.faults.push({ name, target, startMs, endMs, recoveryMs, silent })
    })
  }

  async #time(fault: Fault): Promise<{ startMs: number; endMs: number }> {
    const startMs = this.#now()
    await fault.run().catch((error: Error) => this.problems.push(error.message))
    return { startMs, endMs: this.#now() }
  }

  async #restartWhatEnded(): Promise<void> {
    for (const { name, process } of this.#fleet.instances) {
      if (process.running) continue
      this.problems.push(`${name} is not running; its last words: ${process.output.slice(-500)}`)
      await process.restart()
    }
  }

  /** All instances at once, each at about every second COMMIT of a lease, until the goal is reached. */
  async #cut(cuts: number): Promise<void> {
    const cutters = this.#fleet.on('mysql').flatMap(({ network }) => network?.cutter ?? [])
    const half = Math.ceil(cuts / 2)
    const done = (point: CutPoint) => this.#fleet.commits()[point] >= half
    const startMs = this.#now()
    for (const cutter of cutters)
      cutter.decide = () => {
        const point = this.#random() < 0.5 ? 'before' : 'after'
        return this.#random() < 0.5 || done(point) ? undefined : point
      }
    while (!(done('before') && done('after')) && !this.#signal.aborted) await pause(CUTS_POLL_MS)
    for (const cutter of cutters) cutter.decide = () => undefined
    const endMs = this.#now()
    const silent = await this.#routes.recovered(
      this.#fleet.on('mysql').map(({ name }): Route => `${name}/new`),
      RECOVERY_MS_MAX,
      this.#signal,
    )
    const recoveryMs = silent.length === 0 ? this.#now() - endMs : null
    for (const name of ['cut before COMMIT', 'cut after COMMIT'] as const)
      this.faults.push({ name, target: 'every instance on MariaDB', startMs, endMs, recoveryMs, silent })
  }

  #shuffledKills({ instances, mariadbd }: { instances: number; mariadbd: number }): FaultName[] {
    const kills: FaultName[] = [
      ...new Array<FaultName>(instances).fill('kill an instance'),
      ...new Array<FaultName>(mariadbd).fill('kill mariadbd'),
    ]
    return kills
      .map((name) => ({ name, order: this.#random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ name }) => name)
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T
  }

  #now(): number {
    return Math.round(performance.now() - this.#startedMs)
  }
}
