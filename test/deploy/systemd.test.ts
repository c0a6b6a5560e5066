import { execFile } from 'node:child_process'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ensureInstalled } from '../support/debian.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const UNIT = 'deploy/seqsvr.service'
const run = promisify(execFile)

let analyze: string

beforeAll(async () => {
  analyze = await ensureInstalled('systemd-analyze', 'systemd')
})

/** The unit as it would be installed; only Node is where this machine has it. */
async function installed(...dropIns: string[]): Promise<string> {
  const folder = await temporaryFolder()
  const file = join(folder, 'seqsvr.service')
  await writeFile(file, (await readFile(UNIT, 'utf8')).replace('/usr/bin/node', process.execPath))
  for (const name of dropIns) await cp(`${UNIT}.d/${name}`, `${file}.d/${name}`)
  return file
}

describe('deploy/seqsvr.service', () => {
  it.each([['SQLite'], ['MySQL', 'mysql.conf']])('is a correct unit on %s', async (_store, ...dropIns) => {
    const { stdout, stderr } = await run(analyze, ['verify', '--man=no', await installed(...dropIns)])
    expect(stdout + stderr).toBe('')
  })

  it('exposes little: systemd rates it below 2 of 10', async () => {
    const { stdout } = await run(analyze, ['security', '--offline=true', '--no-pager', await installed()])
    const rating = /Overall exposure level for seqsvr\.service: ([\d.]+)/.exec(stdout)?.[1]
    expect(Number(rating)).toBeLessThan(2)
  })

  it('leaves V8 its machine code, and gives it more time to end than its drain needs', async () => {
    const unit = await readFile(UNIT, 'utf8')
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m)
    const { drain_ms } = loadConfig({ cwd: await temporaryFolder(), env: {}, flags: {} })
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(drain_ms / 1000)
  })

  it.each([['SQLite'], ['MySQL', 'mysql.conf']])(
    'sets variables that seqsvr knows, on %s',
    async (_store, ...dropIns) => {
      const folder = await temporaryFolder()
      await writeFile(join(folder, 'mysql_password'), 'of the tests')
      const file = await installed(...dropIns)
      const texts = [await readFile(file, 'utf8')]
      for (const name of dropIns) texts.push(await readFile(`${file}.d/${name}`, 'utf8'))
      const lines = texts.flatMap((text) => [...text.matchAll(/^Environment=(SEQSVR_\w+)=(.*)$/gm)])
      const env = Object.fromEntries(
        lines.map(([, name, value]) => [name, value?.replace('%d', folder).replace('%S', '/var/lib')]),
      )
      const config = loadConfig({ cwd: folder, env, flags: {} })
      expect(config.sqlite.file).toBe('/var/lib/seqsvr/seqsvr.sqlite')
      expect(config.mysql?.password).toBe(dropIns.length === 0 ? undefined : 'of the tests')
    },
  )
})
