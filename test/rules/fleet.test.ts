import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, inject, it, onTestFinished } from 'vitest'
import { createDatabase, dropDatabase } from '../support/mysql-server.ts'
import { until } from '../support/until.ts'
import { script, writeRules } from './instance.ts'

const PERIOD_SECONDS = 2
const KILLS = 9

it('I1: three instances on one MySQL, ten counters, periods of 2 s and kill -9: no number twice in a period, and each period starts at the minimum once', {
  timeout: 120_000,
}, async () => {
  const login = await createDatabase(inject('mysql'))
  onTestFinished(() => dropDatabase(login))
  const configs = await writeRules(
    { r: script({ reset: String(PERIOD_SECONDS) }), s: script({ min: '1', reset: String(PERIOD_SECONDS) }) },
    20,
  )
  const ids: string[] = []
  const running = new Set<ChildProcess>()
  onTestFinished(() => {
    for (const child of running) child.kill('SIGKILL')
  })
  const start = () => {
    const child = spawn(process.execPath, ['test/rules/ask-forever.js', JSON.stringify({ login, configs })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.add(child)
    let rest = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n')
      // Of a process that is killed, the last line may be half.
      rest = lines.pop() as string
      ids.push(...lines)
    })
    return child
  }

  const fleet = [start(), start(), start()]
  await until(20_000, () => ids.length > 1_000)
  for (let i = 0; i < KILLS; i++) {
    // Moments that fall anywhere in a period, and on a busy machine not before those that were started have served.
    const known = ids.length
    await delay(700)
    await until(20_000, () => ids.length > known + 500)
    const victim = fleet.shift() as ChildProcess
    victim.kill('SIGKILL')
    await once(victim, 'close')
    running.delete(victim)
    fleet.push(start())
  }
  await delay(1_000)
  for (const child of fleet) {
    child.kill('SIGKILL')
    await once(child, 'close')
    running.delete(child)
  }

  const seen = new Set<string>()
  const starts = new Map<string, number>()
  for (const line of ids) {
    const [rule, app, time, counter] = line.split('/') as [string, string, string, string]
    const [, year, month, day, hour, minute, second] = /^(\d{4})(..)(..)(..)(..)(..)$/.exec(
      time,
    ) as RegExpExecArray
    const seconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
    const period = `${rule}/${app}/${Math.floor(seconds / PERIOD_SECONDS)}`
    expect(seen, line).not.toContain(`${period}/${counter}`)
    seen.add(`${period}/${counter}`)
    starts.set(period, Math.min(starts.get(period) ?? Number.POSITIVE_INFINITY, Number(counter)))
  }
  expect(starts.size).toBeGreaterThan(30)
  // A period whose first reservation died with its instance has a gap there; it never starts below, and others start at it.
  const minima = [...starts].map(([period, least]) => least - (period.startsWith('s') ? 1 : 0))
  expect(Math.min(...minima)).toBe(0)
  expect(minima.filter((least) => least === 0).length).toBeGreaterThan(minima.length * 0.6)
  expect(minima.every((least) => least % 20 === 0)).toBe(true)
})
