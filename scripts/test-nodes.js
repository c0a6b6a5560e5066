/**
 * Runs all tests on each major version of Node that seqsvr supports: `npm run test:nodes [-- 24 26]`. The binaries come from
 * the npm registry, into a temporary folder. Ends with 1 where a version fails.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const SUPPORTED = ['20', '22', '24', '26']

const chosen = process.argv.length > 2 ? process.argv.slice(2) : SUPPORTED
const folder = mkdtempSync(join(tmpdir(), 'seqsvr-nodes-'))
const failed = []
try {
  for (const major of chosen) {
    const binary = `node-${process.platform}-${process.arch}`
    execFileSync('npm', [
      'install',
      '--silent',
      '--force',
      '--prefix',
      join(folder, major),
      `${binary}@${major}`,
    ])
    const PATH = `${join(folder, major, 'node_modules', binary, 'bin')}${delimiter}${process.env.PATH}`
    const env = { ...process.env, PATH }
    console.log(`\nNode ${execFileSync('node', ['--version'], { env })}`)
    if (spawnSync('npm', ['test'], { env, stdio: 'inherit' }).status !== 0) failed.push(major)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(
  failed.length === 0
    ? `all tests pass on Node ${chosen.join(', ')}`
    : `tests fail on Node ${failed.join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
