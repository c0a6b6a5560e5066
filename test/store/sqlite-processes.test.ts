import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Lease } from '../../src/core/lease.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { expectRising } from './contract.ts'
import { openSqlite } from './sqlite-fixture.ts'

const PROCESS = fileURLToPath(new URL('./lease-forever.js', import.meta.url))

describe('processes', () => {
  let file: string
  beforeEach(async () => {
    file = `${await temporaryFolder()}/a.sqlite`
  })

  /** A process that leases, its grants so far, and how to wait until it has printed `count` of them. */
  function start(uuid: string, times: number) {
    const child: ChildProcess = spawn(process.execPath, [PROCESS, file, uuid, String(times)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const leases: Lease[] = []
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    const granted = (count: number) =>
      new Promise<void>((resolve) => {
        lines.on('line', () => leases.length >= count && resolve())
      })
    lines.on('line', (line) => {
      const [from, to] = line.split(' ')
      leases.push({ start: BigInt(from as string), end: BigInt(to as string) })
    })
    const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(
      ([[code]]) => code as number | null,
    )
    return { child, leases, granted, ended, stderr: () => stderr }
  }

  const byStart = (a: Lease, b: Lease) => (a.start < b.start ? -1 : 1)

  it('I1 lease from one file at once without overlap, and write nothing to the terminal', async () => {
    const processes = ['one', 'two', 'three'].map((uuid) => start(uuid, 60))
    for (const { ended, stderr } of processes)
      expect({ code: await ended, stderr: stderr() }).toEqual({ code: 0, stderr: '' })
    for (const { leases } of processes) expectRising(leases)
    const all = processes.flatMap(({ leases }) => leases).sort(byStart)
    expectRising(all)
    expect(all).toHaveLength(3 * 20 * (1 + 2 + 3))
    expect(all.at(-1)?.end).toBe(3610n)
  })

  it('I1 never grant again what a process had that was killed in the middle of leasing', async () => {
    const all: Lease[] = []
    for (let round = 0; round < 6; round++) {
      const { child, leases, granted, ended } = start(`round ${round}`, 1_000_000)
      await granted(5 + round * 3)
      child.kill('SIGKILL')
      await ended
      all.push(...leases)
    }
    const rest = await openSqlite(file, { agreement: { step: 10, first: 0 } }).generator.lease(1, 0n)
    expectRising([...all, ...rest])
  })
})
