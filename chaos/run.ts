import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../test/support/random.ts'
import { Checker } from './checker.ts'
import { askOnAndOn, type Client, streamName, tagStream } from './clients/client.ts'
import { HttpClient } from './clients/http.ts'
import { RedisClient } from './clients/redis.ts'
import { UdpClient } from './clients/udp.ts'
import { Fleet, type Instance, routesOf, type StoreKind, TAGS } from './fleet.ts'
import { Nemesis } from './nemesis.ts'
import type { Plan } from './plan.ts'
import { type Report, reportOf } from './report.ts'
import { Routes } from './routes.ts'

const SAMPLE_MS = 1_000
const SAMPLES_A_LINE = 5

/** The first ids must come before anything is broken. */
const WARM_UP_MS_MAX = 30_000

/** Clients of nginx for each of its paths. */
const NGINX_CLIENTS = 2

/** Requests that are acknowledged in each second, by where they were sent. */
export type Sample = Readonly<Record<'nginx' | StoreKind, number>>

/**
 * Runs a fleet under load while the nemesis of `seed` breaks it as planned; `say` gets a line of progress now and then. Resolves
 * with what was seen once every process has ended. Ends early, with a report, when `signal` aborts.
 */
export async function run(
  plan: Plan,
  seed: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const fleet = await Fleet.start()
  try {
    return await runOn(fleet, plan, seed, say, signal)
  } finally {
    await fleet.stop()
  }
}

async function runOn(
  fleet: Fleet,
  plan: Plan,
  seed: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const checker = new Checker()
  const routes = new Routes()
  const nemesis = new Nemesis({ fleet, routes, random: seededRandom(seed), signal })
  const startedMs = performance.now()
  const ending = new AbortController()
  const context = { checker, routes, random: seededRandom(seed + 1), signal: ending.signal }
  const asking = clientsOf(fleet, context.random).map(({ client, instance }) =>
    askOnAndOn(client, instance, context),
  )
  const samples: Sample[] = []
  const sampling = sample(ending.signal, routes, samples, () =>
    say(progressOf(startedMs, fleet, nemesis, checker, routes)),
  )
  try {
    const silent = await routes.recovered(
      ['nginx/new', 'nginx/alloc', ...fleet.instances.flatMap(routesOf)],
      WARM_UP_MS_MAX,
      signal,
    )
    if (silent.length > 0 && !signal.aborted) throw new Error(`no id ever came from ${silent.join(', ')}`)
    await nemesis.run(plan)
  } finally {
    ending.abort()
    await Promise.all([...asking, sampling])
  }
  const seconds = (performance.now() - startedMs) / 1000
  return reportOf({
    plan,
    seed,
    seconds,
    fleet,
    checker,
    routes,
    nemesis,
    samples,
    wasted: wastedOf(checker),
  })
}

function clientsOf(
  { nginx, instances }: Fleet,
  random: () => number,
): { client: Client; instance?: Instance }[] {
  const throughNginx = (['new', 'alloc'] as const).flatMap((path) =>
    Array.from({ length: NGINX_CLIENTS }, () => ({
      client: new HttpClient('nginx', nginx.url, path, 'mysql', random),
    })),
  )
  const direct = instances.flatMap((instance) => [
    ...(['new', 'alloc', 'rule'] as const).map((path) => ({
      client: new HttpClient(instance.name, instance.process.url, path, instance.store, random),
      instance,
    })),
    { client: new RedisClient(instance, random), instance },
    { client: new UdpClient(instance, random), instance },
  ])
  return [...throughNginx, ...direct]
}

async function sample(
  signal: AbortSignal,
  routes: Routes,
  samples: Sample[],
  tell: () => void,
): Promise<void> {
  let before = routes.acknowledgedByPlace()
  while (!signal.aborted) {
    await pause(SAMPLE_MS, undefined, { signal }).catch(() => {})
    const now = routes.acknowledgedByPlace()
    samples.push({
      nginx: now.nginx - before.nginx,
      mysql: now.mysql - before.mysql,
      sqlite: now.sqlite - before.sqlite,
    })
    before = now
    if (samples.length % SAMPLES_A_LINE === 0) tell()
  }
}

function progressOf(
  startedMs: number,
  fleet: Fleet,
  nemesis: Nemesis,
  checker: Checker,
  routes: Routes,
): string {
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  const { faults } = nemesis
  const { before, after } = fleet.commits()
  const last = faults.at(-1)
  return [
    `${seconds} s`,
    `${faults.length} faults${last === undefined ? '' : ` (${last.name}: ${last.target})`}`,
    `${before + after} COMMITs cut`,
    `${checker.ids} ids`,
    `${routes.total('failed')} failed`,
    `${routes.total('unknown')} unknown`,
    `${checker.duplicates} duplicates`,
  ].join(', ')
}

function wastedOf(checker: Checker): Record<string, number> {
  const streams = (['mysql', 'sqlite'] as const).flatMap((store) => [
    streamName(store, 'generator'),
    ...TAGS.map((tag) => tagStream(store, tag)),
  ])
  return Object.fromEntries(streams.map((stream) => [stream, checker.wasted(stream)]))
}
