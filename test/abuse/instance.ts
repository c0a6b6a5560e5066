import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../support/root.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import type { Ports } from './honest.ts'
import { exchange } from './raw.ts'

export interface AbusedInstance {
  readonly process: SeqsvrProcess
  readonly ports: Required<Ports>
  /** Ends it. */
  end(): Promise<void>
}

/**
 * A real process on the embedded store with all three fronts, a sequence `honest` and a rule `task`. Waits are long, so that a slow disk or a busy machine
 * fails no honest request.
 */
export async function startAbused(env: Readonly<Record<string, string>> = {}): Promise<AbusedInstance> {
  const folder = await mkdtemp(join(tmpdir(), 'seqsvr-abuse-'))
  const config = join(folder, 'config.yml')
  await writeFile(
    config,
    `
sqlite: { file: '${folder}/seqsvr.sqlite' }
step: 100000
wait_ms_max: 15000
redis: { port: '127.0.0.1:0' }
udp: { port: '127.0.0.1:0', rules: [{ name: task, lua_file: '${ROOT}/rules/task.lua', batch_save: 10000 }] }
`,
  )
  const process = await SeqsvrProcess.start(env, ['--config', config])
  const redisPort = portIn(process.output, 'Redis protocol')
  await exchange(redisPort, 'SET honest 0\r\nQUIT\r\n')
  return {
    process,
    ports: { http: process.port, redis: redisPort, udp: portIn(process.output, 'UDP') },
    async end() {
      await process.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function portIn(output: string, front: string): number {
  return Number(new RegExp(`${front} on 127\\.0\\.0\\.1:(\\d+)`).exec(output)?.[1])
}

/** The value of a metric without labels, or with these: `seqsvr_connections{front="http"}`. */
export async function metric({ process }: AbusedInstance, name: string): Promise<number> {
  const text = await (await fetch(`${process.url}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  if (line === undefined) throw new Error(`no metric ${name}`)
  return Number(line.slice(name.length + 1))
}

/** Those of honest clients, and of who asks for this. */
const HONEST_CONNECTIONS_MAX = 8

/** Whether the server has more connections than honest clients have. */
export async function hasAbusers(instance: AbusedInstance): Promise<boolean> {
  for (const front of ['http', 'redis'])
    if ((await metric(instance, `seqsvr_connections{front="${front}"}`)) > HONEST_CONNECTIONS_MAX) return true
  return false
}
