import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ensureInstalled } from '../support/debian.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

interface Compose {
  readonly services: Readonly<
    Record<string, { image: string; environment?: Record<string, string>; stop_grace_period: string }>
  >
}

const { services } = load(readFileSync('deploy/compose.yml', 'utf8'), { merge: true } as never) as Compose
const nginx = readFileSync('deploy/nginx.conf', 'utf8')
const instances = Object.keys(services).filter((name) => services[name]?.image === 'seqsvr')

describe('deploy/compose.yml and deploy/nginx.conf', () => {
  it('name the same instances', () => {
    const servers = [...nginx.matchAll(/^ *server (\S+):8000 resolve/gm)].map(([, name]) => name)
    expect(servers).toEqual(instances)
    expect(instances).toHaveLength(3)
  })

  it('give instances settings that seqsvr accepts, and more time to end than their drain needs', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'mysql_password'), 'of the tests')
    for (const name of instances) {
      const { environment, stop_grace_period } = services[name] as Compose['services'][string]
      const env = { ...environment, SEQSVR_MYSQL_PASSWORD_FILE: join(folder, 'mysql_password') }
      const { drain_ms, mysql } = loadConfig({ cwd: folder, env, flags: {} })
      expect(mysql).toMatchObject({ user: 'seqsvr', database: 'sequence' })
      expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(drain_ms / 1000)
    }
  })

  it('nginx finds nothing to say against its configuration', async () => {
    const folder = await temporaryFolder()
    // The hosts are the containers', and `resolve` is newer than the nginx of many systems.
    const config = nginx.replace(/server seqsvr-(\d):8000 resolve/g, 'server 127.0.0.1:800$1')
    await writeFile(join(folder, 'nginx.conf'), config)
    const file = await ensureInstalled('nginx', 'nginx-light')
    const args = ['-t', '-q', '-p', folder, '-c', 'nginx.conf', '-e', 'error.log']
    const { stderr } = await run(file, [...args, '-g', `pid ${folder}/nginx.pid; error_log stderr;`])
    expect(stderr).toBe('')
  })
})
