import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { ConfigError, type ConfigProblem, loadConfig } from '../../src/config/load.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'seqsvr-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

interface Given {
  readonly yaml?: string
  readonly file?: string
  readonly env?: Record<string, string>
  readonly flags?: Record<string, unknown>
}

/** Writes a file into the working folder of the test. */
export function write(name: string, content: string): void {
  writeFileSync(join(cwd, name), content)
}

/** The configuration of what is given, read in the working folder of the test. */
export function loaded({ yaml, file, env = {}, flags = {} }: Given) {
  if (yaml !== undefined) write(file ?? 'config.yml', yaml)
  return loadConfig({ file, env, flags, cwd })
}

export function problemsOf(given: Given): readonly ConfigProblem[] {
  try {
    loaded(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
