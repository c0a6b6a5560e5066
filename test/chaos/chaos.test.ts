import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { faultKinds } from '../../chaos/faults.ts'
import { writeResults } from '../../chaos/results.ts'
import { run } from '../../chaos/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SEED = Number(process.env.SEQSVR_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

it(`I1, I5: a fleet of five processes under every kind of fault gives no id twice and none out of order (seed ${SEED})`, {
  timeout: 300_000,
}, async () => {
  const report = await run({ mode: 'mixed', minutes: 0 }, SEED, () => {}, new AbortController().signal)
  expect(report.violations).toEqual([])
  expect([report.duplicates, report.outOfOrder]).toEqual([0, 0])
  expect(report.problems).toEqual([])

  // What a machine does not allow is told, and all else was done.
  const possible = Object.entries(faultKinds).filter(([, { place }]) => !(place in report.skipped))
  expect(Object.keys(report.kinds)).toEqual(possible.map(([name]) => name))
  expect(possible.length).toBeGreaterThan(11)
  expect(report.faults.filter(({ silent }) => silent.length > 0)).toEqual([])
  expect(report.commits.before).toBeGreaterThan(0)
  expect(report.commits.after).toBeGreaterThan(0)
  expect(Object.keys(report.routes)).toHaveLength(27)
  for (const [route, { acknowledged }] of Object.entries(report.routes))
    expect(acknowledged, route).toBeGreaterThan(0)

  const folder = await temporaryFolder()
  const text = writeResults(folder, report)
  expect(text).toContain(`npm run chaos -- --minutes 0 --seed ${SEED}\n`)
  expect(text).toContain('No id twice, none out of order.')
  expect(JSON.parse(readFileSync(join(folder, 'mixed.json'), 'utf8')).duplicates).toBe(0)
  expect(readFileSync(join(folder, 'mixed.svg'), 'utf8')).toContain('kill mariadbd')
})
