import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RecentFleet } from '../../src/fronts/http/page/fleet.ts'
import { Listeners } from '../../src/fronts/http/page/listeners.ts'
import { Live } from '../../src/fronts/http/page/live.tsx'
import { BufferBar, RatePlot } from '../../src/fronts/http/page/plots.tsx'
import type { InstanceStatus } from '../../src/status/status.ts'
import { sequenceStatus } from './sequence-status.ts'

const NOW_MS = 1_700_000_000_000
const HOSTILE = `<script>alert(1)</script>"'&`

const instance: InstanceStatus = {
  uuid: 'uuid-a',
  version: '1.2.3',
  host: 'box-7',
  startedAtMs: NOW_MS - 3_600_000,
  unreadiness: null,
  store: { description: 'MySQL at db:3306/sequence', fault: null },
  sequences: [sequenceStatus({})],
  sequencesHeld: 0,
  others: { left: 0, issued: 0, waiting: 0 },
  fronts: [],
  scripts: [],
  faults: [],
}

function text(status: Partial<InstanceStatus>, fleet: Parameters<typeof Live>[0]['fleet'] = []): string {
  const html = String(Live({ statuses: [{ ...instance, ...status }], fleet, nowMs: NOW_MS }))
  return html.replace(/<title>.*?<\/title>|<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

describe('what the page tells', () => {
  it('readiness, store and faults in words', () => {
    expect(text({})).toContain('Ready.')
    expect(text({})).toContain('MySQL at db:3306/sequence well')
    const shown = text({
      unreadiness: 'waiting for the first lease',
      store: { description: 'MySQL at db:3306/sequence', fault: 'MySQL is not available' },
      faults: [
        {
          firstAtMs: NOW_MS - 90_000,
          atMs: NOW_MS - 3_000,
          times: 12,
          where: 'sequence orders',
          code: 'STORE_UNAVAILABLE',
          message: 'it is out',
        },
      ],
    })
    expect(shown).toContain('Not ready: waiting for the first lease.')
    expect(shown).toContain('MySQL at db:3306/sequence MySQL is not available')
    expect(shown).toContain('3 s ago sequence orders it is out STORE_UNAVAILABLE 12 times')
  })

  it('a long fault of the store once, while it serves from memory and when it is out of ids', () => {
    const fault = 'MySQL is not available'
    const outage = {
      store: { description: 'MySQL at db:3306/sequence', fault },
      sequences: [sequenceStatus({ fault, left: 50, idsPerSecond: [10] })],
      faults: [
        {
          firstAtMs: NOW_MS,
          atMs: NOW_MS,
          times: 2,
          where: 'generator',
          code: 'STORE_UNAVAILABLE',
          message: fault,
        },
      ],
    }
    const serving = text(outage)
    expect(serving).toContain('Ready, but the store gives no ids.')
    expect(serving).toContain('At this rate the ids in memory last 5 seconds.')
    expect(serving.split(fault)).toHaveLength(2)
    expect(serving).toContain('generator as the store, above STORE_UNAVAILABLE 2 times')
    const out = text({ ...outage, unreadiness: fault })
    expect(out).toContain('Not ready: the store gives no ids.')
    expect(out.split(fault)).toHaveLength(2)
  })

  it('where it runs, and that no id was handed out yet until one was', () => {
    expect(text({})).toContain('seqsvr 1.2.3 on box-7')
    expect(text({})).toContain('No id was handed out yet.')
    expect(text({ sequences: [sequenceStatus({ issued: 1 })] })).not.toContain('No id was handed out yet.')
  })

  it('each sequence with its buffer, rate, leases and waiting requests', () => {
    const shown = text({
      sequences: [
        sequenceStatus({
          name: 'orders',
          left: 2412,
          leftInLease: 412,
          leaseIds: 1000,
          ahead: 2000,
          issued: 1234567,
          waiting: 3,
          next: '9223372036854770000',
          leasedTo: '9223372036854773000',
          idsPerSecond: [5, 5, 10, 10, 10],
          leases: [{ atMs: NOW_MS - 2_000, ids: 2000, tookMs: 1.44 }],
        }),
      ],
      sequencesHeld: 3,
      others: { left: 50, issued: 7, waiting: 1 },
    })
    for (const part of [
      'orders 9,223,372,036,854,770,000 next id',
      '2,412 in memory',
      '1,234,567 handed out',
      '588 served 412 left 2,000 ahead 3 requests wait',
      '8 ids a second',
      'peak 10',
      '1.4 ms for a lease',
      '2,000 ids, 2 s ago',
      'the id space lasts 5.9 minutes',
      'And 2 more in memory, with 50 ids; 1 request waits.',
      '8 ids a second, 1,234,574 since the start 1 h 0 min ago',
    ])
      expect(shown).toContain(part)
  })

  it('the fleet, and which of it this instance is', () => {
    const shown = text({}, [
      { instance: 'uuid-b', seenAtMs: NOW_MS - 1_000, leases: 1200 },
      { instance: 'uuid-a', seenAtMs: NOW_MS - 65_000, leases: 7 },
    ])
    expect(shown).toContain('uuid-b 1 s ago 1,200')
    expect(shown).toContain('uuid-a this one 1 min ago 7')
  })

  it('names and messages as text, whatever they hold', () => {
    const html = String(
      Live({
        statuses: [
          {
            ...instance,
            unreadiness: HOSTILE,
            store: { description: HOSTILE, fault: HOSTILE },
            sequences: [sequenceStatus({ name: HOSTILE, fault: HOSTILE })],
            faults: [{ firstAtMs: 0, atMs: 0, times: 1, where: HOSTILE, code: HOSTILE, message: HOSTILE }],
          },
        ],
        fleet: [{ instance: HOSTILE, seenAtMs: 0, leases: 0 }],
        nowMs: NOW_MS,
      }),
    )
    expect(html).not.toContain('<script')
    expect(html.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;/g)).toHaveLength(6)
  })
})

describe('the plots', () => {
  it('the bar shows what is served, left and ahead in proportion', () => {
    const bar = String(BufferBar(sequenceStatus({ leftInLease: 250, leaseIds: 500, ahead: 500 })))
    expect(bar).toContain('class="served" width="250.0"')
    expect(bar).toContain('class="left" x="250.0" width="250.0"')
    expect(bar).toContain('class="ahead" x="500.0" width="500.0"')
    expect(bar).toContain('aria-label="250 of 500 served, 250 left, 500 fetched ahead"')
  })

  it('the rate ends at the right edge, with a mark for each lease in view', () => {
    const sequence = sequenceStatus({
      idsPerSecond: [0, 50, 100],
      leases: [
        { atMs: NOW_MS - 600_000, ids: 1, tookMs: 1 },
        { atMs: NOW_MS - 9_000, ids: 1, tookMs: 1 },
      ],
    })
    const plot = String(RatePlot({ sequence, nowMs: NOW_MS }))
    expect(plot).toContain('viewBox="0 0 59 100"')
    expect(plot).toContain('points="0,98 57,98 57,98.0 58,52.0 59,6.0"')
    expect(plot.match(/class="mark"/g)).toHaveLength(1)
    expect(plot).toContain('d="M50.0 0V100"')
  })

  it('are drawn for a sequence that has done nothing', () => {
    const html = text({})
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })
})

describe('those that follow the page', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function join(listeners: Listeners): ReadableStream<Uint8Array> {
    const stream = listeners.join({ writableNeedDrain: false } as ServerResponse)
    if (stream === undefined) throw new Error('too many listen')
    return stream
  }

  it('are rendered for once a second together, and not at all when there are none', async () => {
    let renders = 0
    const listeners = new Listeners(async () => String(++renders))
    await vi.advanceTimersByTimeAsync(5_000)
    const streams = [join(listeners), join(listeners), join(listeners)]
    await vi.advanceTimersByTimeAsync(3_000)
    expect(renders).toBe(3)
    for (const stream of streams) await stream.cancel()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(renders).toBe(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('I9: one that does not read has nothing kept for it', async () => {
    const listeners = new Listeners(async () => 'a\nfragment')
    const reader = join(listeners).getReader()
    await vi.advanceTimersByTimeAsync(100_000)
    listeners.close()
    const chunks: string[] = []
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(new TextDecoder().decode(value))
    }
    expect(chunks).toEqual([': seqsvr\n\n'])
  })

  it('get each fragment as one event, and its end at close', async () => {
    const listeners = new Listeners(async () => 'a\nfragment')
    const reader = join(listeners).getReader()
    const read = async () => new TextDecoder().decode((await reader.read()).value)
    expect(await read()).toBe(': seqsvr\n\n')
    const next = read()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await next).toBe('data: "a\\nfragment"\n\n')
    listeners.close()
    expect((await reader.read()).done).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the fleet', () => {
  it('is asked for once in five seconds, however often it is shown, and kept when the store fails', async () => {
    vi.useFakeTimers()
    try {
      const member = { instance: 'uuid-b', seenAtMs: 0, leases: 1 }
      const ask = vi.fn(async () => [member])
      const fleet = new RecentFleet(ask)
      expect(fleet.members).toEqual([])
      for (let i = 0; i < 49; i++) {
        await vi.advanceTimersByTimeAsync(100)
        expect(fleet.members).toEqual([member])
      }
      expect(ask).toHaveBeenCalledTimes(1)
      ask.mockRejectedValue(new Error('out'))
      await vi.advanceTimersByTimeAsync(5_000)
      expect(fleet.members).toEqual([member])
      await vi.advanceTimersByTimeAsync(1)
      expect(fleet.members).toEqual([member])
      expect(ask).toHaveBeenCalledTimes(2)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is not asked again while the last question is open', async () => {
    vi.useFakeTimers()
    try {
      const ask = vi.fn(() => new Promise<never>(() => {}))
      const fleet = new RecentFleet(ask)
      for (let i = 0; i < 10; i++) {
        expect(fleet.members).toEqual([])
        await vi.advanceTimersByTimeAsync(5_000)
      }
      expect(ask).toHaveBeenCalledTimes(1)
    } finally {
      vi.useRealTimers()
    }
  })
})
