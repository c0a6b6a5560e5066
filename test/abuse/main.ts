/**
 * Measures what a thousand slow connections do to honest clients: `npm run abuse -- [KIND…] [--rounds 3]`. Prints their latencies
 * without and with the abusers, and how long the last of these stayed; then the medians of the rounds, since one may be the machine's
 * doing. Ends with 1 where in any round a request failed, the p99 of a kind more than doubled or an abuser stayed longer than 10 s.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { spread } from '../../bench/ratio.ts'
import type { Order } from './abuser-process.ts'
import { THOUSAND } from './abusers.ts'
import { HonestClients } from './honest.ts'
import { type AbusedInstance, hasAbusers, openFiles, startAbused } from './instance.ts'

/** Of one kind alone; and of those for whom the system keeps 4 MB each, which is not what is measured here. */
const ABUSERS = 1_000
const ABUSERS_THAT_DO_NOT_READ = 100

const QUIET_MS = 8_000
const GONE_MS_MAX = 10_000
const GIVEN_UP_MS = 30_000
const POLL_MS = 200
const TIMES_MAX = 2
const MIB = 1024 * 1024
const EXIT_USAGE = 2

/** How many abusers come, by their kind. */
type Numbers = Readonly<Record<string, number>>

const ALL: Readonly<Record<string, Numbers>> = {
  'all of them together': THOUSAND,
  ...Object.fromEntries(
    Object.keys(THOUSAND).map((kind) => [
      kind,
      { [kind]: kind.startsWith('reads') ? ABUSERS_THAT_DO_NOT_READ : ABUSERS },
    ]),
  ),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
})
const rounds = Number(values.rounds)
const unknown = positionals.find((kind) => !Object.hasOwn(ALL, kind))
if (unknown !== undefined || !(Number.isInteger(rounds) && rounds > 0)) {
  console.error(`usage: npm run abuse -- [KIND…] [--rounds N]; kinds: ${Object.keys(ALL).join(', ')}`)
  process.exit(EXIT_USAGE)
}

for (const lane of ['true', 'false']) {
  console.log(`\nexpress lane: ${lane}`)
  for (const kind of positionals.length === 0 ? Object.keys(ALL) : positionals) {
    const ratios: Record<string, number>[] = []
    for (let i = 0; i < rounds; i++) ratios.push(await measure(kind, lane, ALL[kind] as Numbers))
    printMedians(ratios)
  }
}

/** Measures one round. Resolves with the p99 of each kind of request with the abusers, as a multiple of that without them. */
async function measure(kind: string, lane: string, numbers: Numbers): Promise<Record<string, number>> {
  const instance = await startAbused({ SEQSVR_HTTP_EXPRESS_LANE: lane })
  const honest = new HonestClients(instance.ports)
  const abusers = fork(join(import.meta.dirname, 'abuser-process.js'))
  try {
    await sleep(QUIET_MS)
    const quiet = takeLatencies(honest)
    const quietBytes = instance.process.residentBytes
    const { goneMs, peakBytes } = await abuse(instance, abusers, numbers)
    const abused = takeLatencies(honest)
    report(kind, quiet, abused, goneMs, (peakBytes - quietBytes) / MIB)
    for (const failure of new Set(honest.failures)) fail(`an honest client got: ${failure}`)
    if (!instance.process.running) fail('seqsvr ended')
    if (goneMs > GONE_MS_MAX) fail('an abuser stayed too long')
    return Object.fromEntries(
      Object.entries(abused).map(([name, { p99 }]) => [name, p99 / (quiet[name] as Latency).p99]),
    )
  } finally {
    abusers.kill()
    await honest.stop()
    await instance.end()
  }
}

/** Resolves when the server has no connection of an abuser left, with how long after the last one came, or when one seems to stay for ever. */
async function abuse(
  instance: AbusedInstance,
  abusers: ReturnType<typeof fork>,
  numbers: Numbers,
): Promise<{ goneMs: number; peakBytes: number }> {
  const quietFiles = await openFiles(instance)
  abusers.send({ numbers, ports: instance.ports } satisfies Order)
  await once(abusers, 'message')
  const startMs = performance.now()
  let peakBytes = 0
  while (performance.now() - startMs < GIVEN_UP_MS) {
    peakBytes = Math.max(peakBytes, instance.process.residentBytes)
    if (!(await hasAbusers(instance, quietFiles))) return { goneMs: performance.now() - startMs, peakBytes }
    await sleep(POLL_MS)
  }
  return { goneMs: Number.POSITIVE_INFINITY, peakBytes }
}

interface Latency {
  readonly p50: number
  readonly p99: number
}

type Latencies = Record<string, Latency>

/** Of all requests since the last call. */
function takeLatencies({ tookMs }: HonestClients): Latencies {
  return Object.fromEntries(
    Object.entries(tookMs).map(([name, took]) => {
      const sorted = took.splice(0).sort((a, b) => a - b)
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
      return [name, { p50: at(0.5), p99: at(0.99) }]
    }),
  )
}

function report(kind: string, quiet: Latencies, abused: Latencies, goneMs: number, grownMiB: number): void {
  const ms = (value: number) => value.toFixed(1).padStart(7)
  console.log(`${kind}: all gone after ${(goneMs / 1000).toFixed(1)} s, memory + ${grownMiB.toFixed()} MiB`)
  for (const [name, { p50, p99 }] of Object.entries(abused)) {
    const before = quiet[name] as Latency
    console.log(
      `  ${name.padEnd(12)} ms quiet p50 ${ms(before.p50)} p99 ${ms(before.p99)}, abused p50 ${ms(p50)} p99 ${ms(p99)}`,
    )
    if (p99 > TIMES_MAX * before.p99) fail(`the p99 of ${name} more than doubled`)
  }
}

function printMedians(ratios: readonly Record<string, number>[]): void {
  const medians = Object.keys(ratios[0] as object).map((name) => {
    return { name, median: spread(ratios.map((each) => each[name] as number)).median }
  })
  console.log(
    `  p99, median of times: ${medians.map(({ name, median }) => `${name} ${median.toFixed(1)}`).join(', ')}`,
  )
}

function fail(problem: string): void {
  console.log(`  PROBLEM: ${problem}`)
  process.exitCode = 1
}
