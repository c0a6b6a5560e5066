import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

export const START_MS_MAX = 20_000

/** The embedded store, with a file of the test's own. */
export const embedded = async () => ({ SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` })

/** A tree of two workers, both of which serve. Killed with the test, whatever is left of it. */
export async function startTree(
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<SeqsvrProcess> {
  const tree = await SeqsvrProcess.start({ SEQSVR_WORKERS: '2', ...env }, args)
  onTestFinished(async () => {
    const workers = tree.running ? workersOf(tree) : []
    await tree.kill()
    for (const pid of workers) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  await until(START_MS_MAX, async () => {
    const { seqsvr_workers_answering, seqsvr_ready } = await scrape(tree.url)
    return seqsvr_workers_answering === 2 && seqsvr_ready === 1 && tree.output.includes('listening on')
  })
  return tree
}

export function workersOf({ pid }: SeqsvrProcess): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? []
  return children.map(Number).filter(isRunning)
}

export function isRunning(pid: number): boolean {
  try {
    // A zombie has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The values of `/metrics`. Each scrape has a connection of its own. */
export async function scrape(url: string): Promise<Record<string, number>> {
  const body = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** Stops all workers but one while `act` works: what the tree then does is that one's. */
export async function withOnly<T>(tree: SeqsvrProcess, pid: number, act: () => Promise<T>): Promise<T> {
  const others = workersOf(tree).filter((worker) => worker !== pid)
  for (const other of others) process.kill(other, 'SIGSTOP')
  try {
    return await act()
  } finally {
    for (const other of others) process.kill(other, 'SIGCONT')
  }
}

interface Talk {
  readonly socket: Socket
  /** Sends bytes. Resolves with what comes back first. */
  ask(request: string): Promise<string>
}

/** A connection. It has a worker when it has been answered: the system takes it before. */
export async function open(port: number): Promise<Talk> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    socket,
    ask: async (request) => {
      socket.write(request)
      const [reply] = await once(socket, 'data')
      return reply as string
    },
  }
}

/** A connection with one worker. `request` has it answer. */
export function openWith(tree: SeqsvrProcess, pid: number, port: number, request: string): Promise<Talk> {
  return withOnly(tree, pid, async () => {
    const talk = await open(port)
    await talk.ask(request)
    return talk
  })
}
