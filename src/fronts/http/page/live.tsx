import type { InstanceRecord } from '../../../core/store.ts'
import type { InstanceStatus, SequenceStatus } from '../../../status/status.ts'
import { FLEET_SHOWN_MAX } from './limits.ts'
import { BufferBar, LeasePlot, RatePlot } from './plots.tsx'
import { ago, grouped, lasted, numbered, rateNow, rounded, runway } from './words.ts'

export interface Snapshot {
  /** The workers of this instance, or it alone. */
  readonly statuses: readonly InstanceStatus[]
  readonly fleet: readonly InstanceRecord[]
  readonly nowMs: number
}

/** All that changes by itself: the page shows it, and those that follow the page get it anew each second. */
export function Live({ statuses, fleet, nowMs }: Snapshot) {
  const own = new Set(statuses.map(({ uuid }) => uuid))
  return (
    <>
      {statuses.map((status) => (
        <Instance status={status} nowMs={nowMs} />
      ))}
      {fleet.length > 0 && <Fleet fleet={fleet} own={own} nowMs={nowMs} />}
      <Faults statuses={statuses} nowMs={nowMs} />
    </>
  )
}

/** The message of the store stands beside it, once. */
function headline({ unreadiness, store: { fault } }: InstanceStatus): string {
  if (unreadiness === null) return fault === null ? 'Ready.' : 'Ready, but the store gives no ids.'
  return unreadiness === fault ? 'Not ready: the store gives no ids.' : `Not ready: ${unreadiness}.`
}

function Instance({ status, nowMs }: { status: InstanceStatus; nowMs: number }) {
  const { uuid, version, host, startedAtMs, unreadiness, store, sequences, sequencesHeld, others, fronts } =
    status
  const rate = sequences.reduce((sum, { idsPerSecond }) => sum + rateNow(idsPerSecond), 0)
  const issued = sequences.reduce((sum, { issued }) => sum + issued, others.issued)
  const named = sequences.filter(({ name }) => name !== null).length
  return (
    <section aria-label={`Instance ${uuid}`}>
      <div role="status">
        <h1 class={unreadiness === null && store.fault === null ? 'ready' : 'fault'}>{headline(status)}</h1>
      </div>
      <p class="lead">
        <b>{rounded(rate)}</b> ids a second, <b>{grouped(issued)}</b> since the start{' '}
        {lasted(nowMs - startedAtMs)} ago.{issued === 0 && ' No id was handed out yet.'}
      </p>
      <p class="note">
        seqsvr {version} on <span class="code">{host}</span>, instance <span class="code">{uuid}</span>
      </p>
      <dl class="facts">
        <div>
          <dt>Store</dt>
          <dd>
            {store.description}{' '}
            {store.fault === null ? <small>well</small> : <p class="fault">{store.fault}</p>}
          </dd>
        </div>
        {fronts.map(({ name, address, connections, issued }) => (
          <div>
            <dt>{name === 'http' ? 'HTTP' : name === 'redis' ? 'Redis' : 'UDP'}</dt>
            <dd>
              <span class="code">{address}</span>{' '}
              <small>
                {connections !== null && `${grouped(connections)} open, `}
                {numbered(issued, 'id', 'ids')}
              </small>
            </dd>
          </div>
        ))}
      </dl>
      <h2>Sequences</h2>
      <div class="sequences">
        {sequences.map((sequence) => (
          <Sequence sequence={sequence} storeFault={store.fault} nowMs={nowMs} />
        ))}
      </div>
      {sequencesHeld > named && (
        <p class="note">
          And {grouped(sequencesHeld - named)} more in memory, with {numbered(others.left, 'id', 'ids')}
          {others.waiting > 0 && `; ${numbered(others.waiting, 'request waits', 'requests wait')}`}.
        </p>
      )}
    </section>
  )
}

interface SequenceProps {
  readonly sequence: SequenceStatus
  readonly storeFault: string | null
  readonly nowMs: number
}

function Sequence({ sequence, storeFault, nowMs }: SequenceProps) {
  const { name, next, issued, left, leftInLease, leaseIds, ahead, waiting, fault, idsPerSecond, leases } =
    sequence
  const latest = leases.at(-1)
  return (
    <article>
      <header>
        <h3>{name ?? <em>generator</em>}</h3>
        <p class="next">
          <span>{next === null ? '–' : grouped(next)}</span> <small>next id</small>
        </p>
      </header>
      <div class="buffer">
        <p>
          <span>
            <b>{grouped(left)}</b> in memory
          </span>{' '}
          <small>{grouped(issued)} handed out</small>
        </p>
        <BufferBar {...sequence} />
        <p class="note">
          <span class="key served">{grouped(leaseIds - leftInLease)} served</span>{' '}
          <span class="key left">{grouped(leftInLease)} left</span>{' '}
          <span class="key ahead">{grouped(ahead)} ahead</span>{' '}
          {waiting > 0 && <span class="fault">{numbered(waiting, 'request waits', 'requests wait')}</span>}
        </p>
      </div>
      <div class="rate">
        <p>
          <b>{rounded(rateNow(idsPerSecond))}</b> ids a second
        </p>
        <RatePlot sequence={sequence} nowMs={nowMs} />
        <p class="note">peak {grouped(Math.max(0, ...idsPerSecond))}</p>
      </div>
      <div class="leased">
        <p>
          <b>{latest === undefined ? '–' : rounded(latest.tookMs)}</b> ms for a lease
        </p>
        <LeasePlot leases={leases} nowMs={nowMs} />
        <p class="note">
          {latest === undefined
            ? 'no lease yet'
            : `${numbered(latest.ids, 'id', 'ids')}, ${ago(latest.atMs, nowMs)}`}
        </p>
      </div>
      <p class="runway note">{runway(sequence, fault !== null || storeFault !== null)}</p>
      {fault !== null && fault !== storeFault && <p class="fault">{fault}</p>}
    </article>
  )
}

function Fleet({ fleet, own, nowMs }: { fleet: readonly InstanceRecord[]; own: Set<string>; nowMs: number }) {
  return (
    <section aria-labelledby="fleet">
      <h2 id="fleet">The fleet on this store</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col">Last lease</th>
            <th scope="col" class="number">
              Leases in the last hour
            </th>
          </tr>
        </thead>
        <tbody>
          {fleet.slice(0, FLEET_SHOWN_MAX).map(({ instance, seenAtMs, leases }) => (
            <tr>
              <td class="code">
                {instance}
                {own.has(instance) && <small> this one</small>}
              </td>
              <td class="when">{ago(seenAtMs, nowMs)}</td>
              <td class="number">{grouped(leases)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Faults({ statuses, nowMs }: Pick<Snapshot, 'statuses'> & { nowMs: number }) {
  const faults = statuses.flatMap(({ faults }) => faults)
  const ofStores = new Set(statuses.map(({ store }) => store.fault))
  return (
    <section aria-labelledby="faults">
      <h2 id="faults">Recent faults</h2>
      {faults.length === 0 && <p class="note">None since the start.</p>}
      <ol class="faults">
        {faults
          .toSorted((a, b) => b.atMs - a.atMs)
          .map(({ atMs, times, where, code, message }) => (
            <li>
              <time datetime={new Date(atMs).toISOString()}>{ago(atMs, nowMs)}</time>
              <span>
                <b>{where}</b> {ofStores.has(message) ? 'as the store, above' : message}{' '}
                <small>
                  <span class="code">{code}</span>
                  {times > 1 && ` ${grouped(times)} times`}
                </small>
              </span>
            </li>
          ))}
      </ol>
    </section>
  )
}
