import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
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

/** Connections that honest clients may have opened since, and files of the store. */
const FILES_MAX = 8

/**
 * Whether the server has connections that it did not have with `quietFiles` open. The system is asked: the server's own answer, five
 * times a second, would cost honest clients more than the abusers do.
 */
export async function hasAbusers(instance: AbusedInstance, quietFiles: number): Promise<boolean> {
  return (await openFiles(instance)) > quietFiles + FILES_MAX
}

export async function openFiles({ process }: AbusedInstance): Promise<number> {
  return (await readdir(`/proc/${process.pid}/fd`)).length
}
