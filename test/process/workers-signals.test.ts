import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ROOT } from '../support/root.ts'
import type { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { seqsvr } from './command.ts'
import { embedded, isRunning, open, START_MS_MAX, startTree, withOnly, workersOf } from './tree.ts'

describe('signals', () => {
  /** A request that is not complete keeps its connection open while its worker drains. */
  async function halfRequest(tree: SeqsvrProcess) {
    const { socket } = await open(tree.port)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    // The system resets the connection of a process that has ended with something unread.
    socket.on('error', () => {})
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n')
    const ended = new Promise((resolve) => void socket.once('close', resolve))
    return {
      finish: async () => {
        socket.write('\r\n')
        await ended
        return answer
      },
    }
  }

  /** One half request in each worker. */
  async function halfRequests(tree: SeqsvrProcess) {
    const requests = []
    for (const pid of workersOf(tree))
      requests.push(
        await withOnly(tree, pid, async () => {
          const request = await halfRequest(tree)
          // Answered behind it: so the worker has read it.
          await (await open(tree.port)).ask('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
          return request
        }),
      )
    return requests
  }

  const draining = /HTTP\/1\.1 503 .*connection: close.*"msg":"draining"/is

  function drained(tree: SeqsvrProcess, workers: number): Promise<void> {
    return until(5_000, () => tree.output.split('draining for').length - 1 === workers)
  }

  it('SIGTERM to the primary drains all, and ends with 0', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const requests = await halfRequests(tree)
    const stopped = tree.stop()
    await drained(tree, 2)
    for (const { finish } of requests) expect(await finish()).toMatch(draining)
    expect(await stopped).toBe(0)
    expect(workers.filter(isRunning)).toEqual([])
  })

  it('one signal to the whole group is one, and a second one ends all at once', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const [request] = await halfRequests(tree)
    const stopped = tree.stop()
    for (const pid of workers) process.kill(pid, 'SIGTERM')
    await drained(tree, 2)
    expect(workers.filter(isRunning)).toEqual(workers)
    await tree.stop()
    expect(await stopped).toBe(1)
    await until(5_000, () => workers.every((pid) => !isRunning(pid)))
    await request?.finish()
  })

  it('SIGTERM to one worker drains that one, and another takes its place', async () => {
    const tree = await startTree(await embedded())
    const [one, other] = workersOf(tree) as [number, number]
    const [request, another] = await halfRequests(tree)
    process.kill(one, 'SIGTERM')
    await drained(tree, 1)
    expect((await fetch(`${tree.url}/readyz`, { headers: { connection: 'close' } })).status).toBe(200)
    expect(await request?.finish()).toMatch(draining)
    await until(START_MS_MAX, () => / serves/.test(tree.output))
    expect(workersOf(tree)).toEqual([other, expect.any(Number)])
    const stopped = tree.stop()
    await drained(tree, 3)
    expect(await another?.finish()).toMatch(draining)
    expect(await stopped).toBe(0)
  })

  it('a primary that is killed: its workers finish what is open, and end', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const requests = await halfRequests(tree)
    await tree.kill()
    for (const { finish } of requests) expect(await finish()).toMatch(draining)
    await until(5_000, () => workers.every((pid) => !isRunning(pid)))
  })

  it('SIGHUP reloads all of them, or none where the configuration has problems', async () => {
    const file = `${await temporaryFolder()}/config.yml`
    const rule = (lua: string) =>
      `log: {level: warn}\nudp: {port: '127.0.0.1:0', rules: [{name: order, lua_file: ${lua}, batch_save: 1}]}`
    await writeFile(file, rule(`${ROOT}/rules/order_id.lua`).replace('warn', 'info'))
    const tree = await startTree(await embedded(), ['--config', file])
    const told = (text: string) => tree.output.split(text).length - 1
    await writeFile(file, 'log: {level: loud}')
    tree.signal('SIGHUP')
    await until(5_000, () => told('not reloaded, going on as before: log.level') === 1)
    await writeFile(file, rule('nowhere.lua'))
    tree.signal('SIGHUP')
    await until(5_000, () => told('not reloaded, going on as before: ') === 3)
    await writeFile(file, rule(`${ROOT}/rules/order_id.lua`).replace('warn', 'debug'))
    tree.signal('SIGHUP')
    await until(START_MS_MAX, () => told('reloaded: log level debug, rules: order') === 2)
    // And what starts from now on has it from the start.
    process.kill(workersOf(tree)[0] as number, 'SIGKILL')
    await until(START_MS_MAX, () => / serves/.test(tree.output))
    await until(START_MS_MAX, () => tree.output.split('"message":"leased"').length - 1 >= 1)
  })
})

describe('what cannot start ends the tree, with one line', () => {
  it('a port that is taken: exit 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const result = await seqsvr(['--workers', '2', '--port', `127.0.0.1:${port}`], await embedded())
    expect([result.code, result.stderr]).toEqual([1, ''])
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining(`port ${port} is in use`)])
  })

  it('another step than the store agrees on: exit 1', async () => {
    const env = await embedded()
    expect((await seqsvr(['init', '--step', '7'], env)).code).toBe(0)
    const result = await seqsvr(['--workers', '2', '--port', '127.0.0.1:0'], env)
    expect(result.code).toBe(1)
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining('STEP_MISMATCH')])
  })

  it('a rule that is wrong: exit 78', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/wrong.lua`, 'this is not Lua')
    const file = `${folder}/config.yml`
    await writeFile(file, `udp: {rules: [{name: order, lua_file: ${folder}/wrong.lua, batch_save: 1}]}`)
    const args = ['--workers', '2', '--port', '127.0.0.1:0', '--config', file]
    const result = await seqsvr(args, await embedded())
    expect(result.code).toBe(78)
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining('wrong.lua:1: syntax error')])
  })
})
