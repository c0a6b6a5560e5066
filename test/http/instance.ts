import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { getLogger } from '@logtape/logtape'
import { onTestFinished } from 'vitest'
import { openCore } from '../../src/commands/open-core.ts'
import { openRules } from '../../src/commands/open-rules.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Administration } from '../../src/core/administration.ts'
import type { SegmentStore, Store } from '../../src/core/store.ts'
import type { AdminEvent } from '../../src/fronts/http/admin.ts'
import { Metrics } from '../../src/fronts/http/metrics.ts'
import type { Readiness } from '../../src/fronts/http/probes.ts'
import { HttpFront } from '../../src/fronts/http/server.ts'
import type { Rules } from '../../src/rules/rules.ts'
import { Recorder, type ShownFront } from '../../src/status/recorder.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'

export const ADMIN_TOKEN = 'a-token-of-the-tests'

export interface Instance {
  readonly url: string
  /** What the log would be told. */
  readonly events: readonly AdminEvent[]
  readonly store: Store
  readonly segments: SegmentStore
  readonly rules: Rules
}

/** An instance on a fresh embedded store, in this process, with every part but the command line. */
export async function startInstance(
  flags: Record<string, unknown> = {},
  admin = true,
  { file, readiness = () => undefined }: { file?: string; readiness?: Readiness } = {},
): Promise<Instance> {
  const folder = await mkdtemp(`${tmpdir()}/seqsvr-http-`)
  // For a run of all tests without the lane.
  const { SEQSVR_HTTP_EXPRESS_LANE } = process.env
  const config = loadConfig({ env: { SEQSVR_HTTP_EXPRESS_LANE }, flags, cwd: folder })
  const store = new SqliteStore({
    file: file ?? `${folder}/seqsvr.sqlite`,
    schema: 'auto',
    agreement: { step: config.step, first: config.first },
    uuid: randomUUID(),
    provenance: config.provenance.days > 0,
    timeoutMs: 10_000,
  })
  const metrics = new Metrics()
  const recorder = new Recorder({
    uuid: 'uuid-of-the-tests',
    version: '1.2.3',
    host: 'box-7',
    wallClock: () => 1_700_000_000_000,
    observeLease: metrics.observeLease,
  })
  const core = openCore(config, store, getLogger('test'), recorder)
  const rules = openRules(config, store, getLogger('test'), recorder)
  const fronts: ShownFront[] = []
  const status = () =>
    recorder.status({
      unreadiness: undefined,
      store: store.description,
      sequences: core.sequences,
      fronts,
      scripts: rules.scripts,
    })
  const events: AdminEvent[] = []
  const front = new HttpFront({
    host: '127.0.0.1',
    port: 0,
    ...core,
    rules,
    readiness,
    statuses: async () => [status()],
    fleet: async (sinceMs) => (await store.provenance?.instances(sinceMs)) ?? [],
    metrics: () => metrics.publish(status()).metrics(),
    requestIdsMax: config.request_ids_max,
    version: '1.2.3',
    admin: admin
      ? {
          administration: new Administration(store, core),
          sequences: core.sequences,
          token: ADMIN_TOKEN,
          observe: (event) => void events.push(event),
        }
      : undefined,
    connectionsMax: 1_000,
    keepAliveMs: 5_000,
    lane: config.http.express_lane,
  })
  const { port } = await front.listen()
  fronts.push({ name: 'http', address: `127.0.0.1:${port}`, front })
  onTestFinished(async () => {
    await front.drain(0)
    core.generator.close()
    core.sequences.close()
    rules.close()
    await store.close()
    await rm(folder, { recursive: true })
  })
  return { url: `http://127.0.0.1:${port}`, events, store, segments: store.segments, rules }
}

/** Status and body of one request. */
export async function ask(url: string, init: RequestInit = {}): Promise<[status: number, body: string]> {
  const response = await fetch(url, init)
  return [response.status, await response.text()]
}
