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
import { HttpFront } from '../../src/fronts/http/server.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'

export const ADMIN_TOKEN = 'a-token-of-the-tests'

export interface Instance {
  readonly url: string
  readonly store: Store
  readonly segments: SegmentStore
}

/** An instance on a fresh embedded store, in this process, with every part but the command line. */
export async function startInstance(flags: Record<string, unknown> = {}, admin = true): Promise<Instance> {
  const folder = await mkdtemp(`${tmpdir()}/seqsvr-http-`)
  const config = loadConfig({ env: {}, flags, cwd: folder })
  const store = new SqliteStore({
    file: `${folder}/seqsvr.sqlite`,
    schema: 'auto',
    agreement: { step: config.step, first: config.first },
    uuid: randomUUID(),
    timeoutMs: 10_000,
  })
  const core = openCore(config, store, getLogger('test'))
  const rules = openRules(config, store, getLogger('test'))
  const front = new HttpFront({
    host: '127.0.0.1',
    port: 0,
    ...core,
    rules,
    readiness: () => undefined,
    requestIdsMax: config.request_ids_max,
    admin: admin
      ? { administration: new Administration(store, core), sequences: core.sequences, token: ADMIN_TOKEN }
      : undefined,
    connectionsMax: 100,
    keepAliveMs: 5_000,
  })
  const { port } = await front.listen()
  onTestFinished(async () => {
    await front.drain(0)
    core.generator.close()
    core.sequences.close()
    rules.close()
    await store.close()
    await rm(folder, { recursive: true })
  })
  return { url: `http://127.0.0.1:${port}`, store, segments: store.segments }
}

/** Status and body of one request. */
export async function ask(url: string, init: RequestInit = {}): Promise<[status: number, body: string]> {
  const response = await fetch(url, init)
  return [response.status, await response.text()]
}
