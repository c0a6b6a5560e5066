import { LEASES_SHOWN_MAX, RATE_SECONDS } from '../../../status/limits.ts'
import type { LeaseReport, SequenceStatus } from '../../../status/status.ts'
import { ago, grouped, rounded } from './words.ts'

/** Where the present second is in a rate plot. */
const LAST = RATE_SECONDS - 1

/** What the buffer holds: served of the lease, left of it, fetched ahead. */
export function BufferBar({ leaseIds, leftInLease, ahead }: SequenceStatus) {
  const all = leaseIds + ahead
  const x = (ids: number) => (all === 0 ? 0 : (1_000 * ids) / all).toFixed(1)
  const served = leaseIds - leftInLease
  const words = `${grouped(served)} of ${grouped(leaseIds)} served, ${grouped(leftInLease)} left, ${grouped(ahead)} fetched ahead`
  return (
    <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      <rect class="track" width="1000" height="10" />
      <rect class="served" width={x(served)} height="10" />
      <rect class="left" x={x(served)} width={x(leftInLease)} height="10" />
      <rect class="ahead" x={x(leaseIds)} width={x(ahead)} height="10" />
    </svg>
  )
}

/** Ids in each of the last seconds, with a mark where a lease came. */
export function RatePlot({ sequence, nowMs }: { sequence: SequenceStatus; nowMs: number }) {
  const { idsPerSecond, leases } = sequence
  const peak = Math.max(1, ...idsPerSecond)
  const start = RATE_SECONDS - idsPerSecond.length
  const y = (ids: number) => (98 - (92 * ids) / peak).toFixed(1)
  const line = idsPerSecond.map((ids, index) => `${start + index},${y(ids)}`).join(' ')
  const marks = leases.map(({ atMs }) => LAST - (nowMs - atMs) / 1_000).filter((x) => x >= 0 && x <= LAST)
  const words = `ids a second over ${RATE_SECONDS} s, at most ${grouped(Math.max(0, ...idsPerSecond))}`
  return (
    <svg class="plot" viewBox={`0 0 ${LAST} 100`} preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      {marks.map((x) => (
        <path class="mark" d={`M${x.toFixed(1)} 0V100`} />
      ))}
      {line !== '' && <polygon class="area" points={`${start},98 ${line} ${LAST},98`} />}
      <polyline class="line" points={start === 0 ? line : `0,98 ${Math.min(start, LAST)},98 ${line}`} />
    </svg>
  )
}

/** How long each of the last leases took: one stem a lease, the newest at the right. */
export function LeasePlot({ leases, nowMs }: { leases: readonly LeaseReport[]; nowMs: number }) {
  const slowest = Math.max(1, ...leases.map(({ tookMs }) => tookMs))
  const start = LEASES_SHOWN_MAX - leases.length
  const words =
    leases.length === 0
      ? 'no lease yet'
      : `the last ${leases.length} leases took at most ${rounded(Math.max(...leases.map(({ tookMs }) => tookMs)))} ms`
  return (
    <svg
      class="plot leases"
      viewBox={`0 0 ${LEASES_SHOWN_MAX} 100`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <path class="base" d={`M0 99H${LEASES_SHOWN_MAX}`} />
      {leases.map(({ atMs, ids, tookMs }, index) => {
        const height = 6 + (88 * tookMs) / slowest
        return (
          <rect x={start + index + 0.2} width="0.6" y={(98 - height).toFixed(1)} height={height.toFixed(1)}>
            <title>{`${grouped(ids)} ids in ${rounded(tookMs)} ms, ${ago(atMs, nowMs)}`}</title>
          </rect>
        )
      })}
    </svg>
  )
}
