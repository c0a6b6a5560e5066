/**
 * Measures what a thousand slow connections do to honest clients: `npm run abuse`. Prints their latencies without and with
 * the abusers, and how long the last of these stayed. Ends with 1 where a request failed, the p99 of a kind more than doubled
 * or an abuser stayed longer than 10 s.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from './abuser-process.ts'
import { type AbuserKind, THOUSAND } from './abusers.ts'
import { HonestClients } from './honest.ts'
import { type AbusedInstance, hasAbusers, startAbused } from './instance.ts'

/** Of one kind alone; and of those for whom the system keeps 4 MB each, which is not what is measured here. */
const ABUSERS = 1_000
const ABUSERS_THAT_DO_NOT_READ = 100

const QUIET_MS = 8_000
const GONE_MS_MAX = 10_000
const GIVEN_UP_MS = 30_000
const POLL_MS = 200
const TIMES_MAX = 2
const MIB = 1024 * 1024

for (const lane of ['true', 'false']) {
  console.log(`\nexpress lane: ${lane}`)
  await measure(lane, THOUSAND)
  for (const kind of Object.keys(THOUSAND) as AbuserKind[])
    await measure(lane, { [kind]: kind.startsWith('reads') ? ABUSERS_THAT_DO_NOT_READ : ABUSERS })
}

async function measure(lane: string, numbers: Record<string, number>): Promise<void> {
  const instance = await startAbused({ SEQSVR_HTTP_EXPRESS_LANE: lane })
  const honest = new HonestClients(instance.ports)
  const abusers = fork(join(import.meta.dirname, 'abuser-process.js'))
  try {
    await sleep(QUIET_MS)
    const quiet = takeLatencies(honest)
    const quietBytes = instance.process.residentBytes
    const { goneMs, peakBytes } = await abuse(instance, abusers, numbers)
    report(Object.keys(numbers), quiet, takeLatencies(honest), goneMs, (peakBytes - quietBytes) / MIB)
    for (const failure of new Set(honest.failures)) fail(`an honest client got: ${failure}`)
    if (!instance.process.running) fail('seqsvr ended')
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
  numbers: Readonly<Record<string, number>>,
): Promise<{ goneMs: number; peakBytes: number }> {
  abusers.send({ numbers, ports: instance.ports } satisfies Order)
  await once(abusers, 'message')
  const startMs = performance.now()
  let peakBytes = 0
  while (performance.now() - startMs < GIVEN_UP_MS) {
    peakBytes = Math.max(peakBytes, instance.process.residentBytes)
    if (!(await hasAbusers(instance))) return { goneMs: performance.now() - startMs, peakBytes }
    await sleep(POLL_MS)
  }
  return { goneMs: Number.POSITIVE_INFINITY, peakBytes }
}

type Latencies = Record<string, { readonly p50: number; readonly p99: number }>

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

function report(
  kinds: string[],
  quiet: Latencies,
  abused: Latencies,
  goneMs: number,
  grownMiB: number,
): void {
  const label = kinds.length === 1 ? (kinds[0] as string) : 'all of them together'
  const ms = (value: number) => value.toFixed(1).padStart(7)
  console.log(`${label}: all gone after ${(goneMs / 1000).toFixed(1)} s, memory + ${grownMiB.toFixed()} MiB`)
  for (const [name, { p50, p99 }] of Object.entries(abused)) {
    const before = quiet[name] as Latencies[string]
    console.log(
      `  ${name.padEnd(12)} ms quiet p50 ${ms(before.p50)} p99 ${ms(before.p99)}, abused p50 ${ms(p50)} p99 ${ms(p99)}`,
    )
    if (p99 > TIMES_MAX * before.p99) fail(`the p99 of ${name} more than doubled`)
  }
  if (goneMs > GONE_MS_MAX) fail('an abuser stayed too long')
}

function fail(problem: string): void {
  console.log(`  PROBLEM: ${problem}`)
  process.exitCode = 1
}
