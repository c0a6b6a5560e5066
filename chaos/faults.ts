import { setTimeout as pause } from 'node:timers/promises'
import type { CutPoint } from './commit-cutter.ts'
import { type Fleet, type Instance, type Route, routesOf } from './fleet.ts'

/** A disturbance that begins, lasts and ends. */
export interface Fault {
  readonly target: string
  /** The routes that it may have stopped. */
  readonly routes: readonly Route[]
  /** Resolves at its end: what was broken works again, and ids can be had again. */
  run(): Promise<void>
}

/** Where a fault works: two of one place would undo each other. */
export type Place = 'instance' | 'database' | 'network' | 'nginx' | 'clock' | 'disk'

export interface FaultKind {
  readonly place: Place
  /** A fault of this kind, on a part of the fleet and for a time, up to `msMax`, that follow from `random`. */
  make(fleet: Fleet, random: () => number, msMax: number): Fault
}

const LEAST_MS = 200

/** COMMITs that one fault cuts, and how long it waits for them. */
const CUTS_MAX = 8
const CUTS_MS_MAX = 10_000

/** One way's delay: the statements of a lease add up to a second. */
const DELAY_MS_MAX = 120

/** libfaketime looks at the time that it is to give once a second. */
const CLOCK_MS_MIN = 1_500
const SHIFTS_SECONDS = [3, -3, 15, -15, 90, -90, 3_600, -3_600]

/** Every kind of fault, in the order of the first round. */
export const faultKinds = {
  'kill an instance': {
    place: 'instance',
    make: onInstance(async ({ process }, random) => {
      await process.kill()
      await pause(random() * 500)
      await process.restart()
    }),
  },
  'terminate an instance': {
    place: 'instance',
    make: onInstance(async ({ name, process }) => {
      const code = await process.stop()
      if (code !== 0) throw new Error(`${name} ended with ${code} after SIGTERM`)
      await process.restart()
    }),
  },
  'freeze an instance': {
    place: 'instance',
    make: onInstance(async ({ process }, random, msMax) => {
      process.signal('SIGSTOP')
      await pause(between(LEAST_MS, msMax, random))
      process.signal('SIGCONT')
    }),
  },
  'kill mariadbd': {
    place: 'database',
    make: onDatabase(async (database, random) => {
      await database.kill('SIGKILL')
      await pause(random() * 500)
      await database.restart()
    }),
  },
  'freeze mariadbd': {
    place: 'database',
    make: onDatabase(async (database, random, msMax) => {
      await database.kill('SIGSTOP')
      await pause(between(LEAST_MS, msMax, random))
      await database.kill('SIGCONT')
    }),
  },
  'cut before COMMIT': { place: 'network', make: onNetwork(cutting('before')) },
  'cut after COMMIT': { place: 'network', make: onNetwork(cutting('after')) },
  'delay the network': {
    place: 'network',
    make: onNetwork(async ({ proxy }, random, msMax) => {
      proxy.delay(between(5, DELAY_MS_MAX, random))
      await pause(between(LEAST_MS, msMax, random))
      proxy.pass()
    }),
  },
  'swallow the network': {
    place: 'network',
    make: onNetwork(async ({ proxy }, random, msMax) => {
      void proxy.blackHole()
      await pause(between(LEAST_MS, msMax, random))
      proxy.pass()
    }),
  },
  'reset connections': {
    place: 'network',
    make: onNetwork(async ({ proxy }, random) => {
      for (let times = between(1, 5, random); times > 0; times--) {
        proxy.cut()
        await pause(random() * 50)
      }
    }),
  },
  'restart nginx': { place: 'nginx', make: onNginx((nginx) => nginx.restart()) },
  'reload nginx': { place: 'nginx', make: onNginx(async (nginx) => nginx.reload()) },
  'change the clock': {
    place: 'clock',
    make(fleet, random, msMax) {
      const instance = pick(
        fleet.instances.filter(({ time }) => time !== undefined),
        random,
      )
      const seconds = pick(SHIFTS_SECONDS, random)
      return {
        target: `${instance.name} by ${seconds} s`,
        routes: routesOf(instance),
        async run() {
          await instance.time?.shift(seconds)
          await pause(between(CLOCK_MS_MIN, CLOCK_MS_MIN + msMax, random))
          await instance.time?.shift(0)
        },
      }
    },
  },
  'fill the disk': {
    place: 'disk',
    make: (fleet, random, msMax) => ({
      target: 'sqlite',
      routes: fleet.on('sqlite').flatMap(routesOf),
      async run() {
        fleet.disk?.fill()
        await pause(between(LEAST_MS, msMax, random))
        fleet.disk?.free()
      },
    }),
  },
} as const satisfies Readonly<Record<string, FaultKind>>

export type FaultName = keyof typeof faultKinds

function onInstance(
  run: (instance: Instance, random: () => number, msMax: number) => Promise<void>,
): FaultKind['make'] {
  return (fleet, random, msMax) => {
    const instance = pick(fleet.instances, random)
    return { target: instance.name, routes: routesOf(instance), run: () => run(instance, random, msMax) }
  }
}

function onDatabase(
  run: (database: Fleet['database'], random: () => number, msMax: number) => Promise<void>,
): FaultKind['make'] {
  return (fleet, random, msMax) => ({
    target: 'mariadbd',
    routes: fleet.on('mysql').flatMap(routesOf),
    run: () => run(fleet.database, random, msMax),
  })
}

function onNetwork(
  run: (network: NonNullable<Instance['network']>, random: () => number, msMax: number) => Promise<void>,
): FaultKind['make'] {
  return (fleet, random, msMax) => {
    const instance = pick(fleet.on('mysql'), random)
    const { network } = instance
    if (network === undefined) throw new Error(`${instance.name} has no proxy`)
    return { target: instance.name, routes: routesOf(instance), run: () => run(network, random, msMax) }
  }
}

function onNginx(run: (nginx: Fleet['nginx']) => Promise<void>): FaultKind['make'] {
  return ({ nginx }) => ({
    target: 'nginx',
    routes: ['nginx/new', 'nginx/alloc'],
    run: () => run(nginx),
  })
}

function cutting(point: CutPoint) {
  return async ({ cutter }: NonNullable<Instance['network']>, random: () => number): Promise<void> => {
    const goal = cutter.counts[point] + between(1, CUTS_MAX, random)
    cutter.decide = () => (cutter.counts[point] < goal ? point : undefined)
    const deadlineMs = performance.now() + CUTS_MS_MAX
    while (cutter.counts[point] < goal && performance.now() < deadlineMs) await pause(5)
    cutter.decide = () => undefined
  }
}

/** A whole number from `least` to `greatest`. */
function between(least: number, greatest: number, random: () => number): number {
  return least + Math.floor(random() * (greatest - least + 1))
}

function pick<T>(choices: readonly T[], random: () => number): T {
  return choices[Math.floor(random() * choices.length)] as T
}
