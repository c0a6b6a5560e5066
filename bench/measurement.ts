import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../test/support/root.ts'
import { plot } from './plot.ts'
import { report } from './report.ts'
import { runSuite, type Suite, type SuiteSettings } from './suite.ts'

/** What can be measured by its name. */
export interface Measurement {
  /** Names the files of its results. */
  readonly name: string
  readonly measure: (settings: SuiteSettings) => Promise<Results>
}

export interface Results {
  readonly markdown: string
  /** All that was measured, turn by turn. */
  readonly data: object
  readonly svg?: string
}

export function suiteMeasurement(suite: Suite): Measurement {
  return { name: suite.name, measure: (settings) => measureSuite(suite, settings) }
}

export async function measureSuite(suite: Suite, settings: SuiteSettings): Promise<Results> {
  const rounds = await runSuite(suite, settings)
  return {
    markdown: report(suite, settings, rounds),
    data: { title: suite.title, load: suite.load.description, ...settings, rounds },
    svg: plot(suite, rounds),
  }
}

/** Writes NAME.json, NAME.md and NAME.svg to bench/results; returns the Markdown. */
export function writeResults(name: string, { markdown, data, svg }: Results): string {
  const directory = join(ROOT, 'bench/results')
  const text = `${markdown.trimEnd()}\n\n${machine()}.\n`
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${name}.md`), text)
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify({ machine: machine(), ...data }, null, 2)}\n`,
  )
  if (svg !== undefined) writeFileSync(join(directory, `${name}.svg`), svg)
  return text
}

function machine(): string {
  const cores = cpus()
  return `Measured with Node ${process.versions.node} on ${cores.length} cores of ${cores[0]?.model.trim()}`
}
