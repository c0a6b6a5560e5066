import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from './report.ts'
import { textOf } from './text.ts'
import { timelineOf } from './timeline.ts'

/** Writes MODE.txt, MODE.json and MODE.svg to a folder. Returns the text. */
export function writeResults(folder: string, report: Report): string {
  const { mode } = report.plan
  const text = textOf(report)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${mode}.txt`), text)
  writeFileSync(join(folder, `${mode}.json`), `${JSON.stringify(report)}\n`)
  writeFileSync(join(folder, `${mode}.svg`), timelineOf(report))
  return text
}
