import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = join(ROOT, 'node_modules/.bin/tsc')
const EXIT_MS_MAX = 10_000
const run = promisify(execFile)

/** What a user of the package may write, and what he must not. */
const TYPES = `
import { type Id, IdClient, IdClientError, type IdClientErrorCode, type IdClientOptions } from 'seqsvr/client'

const options: IdClientOptions = { servers: ['http://127.0.0.1:8000'], sequence: 'orders', waitMsMax: 100, requestMsMax: 50 }
const ids = new IdClient(options)
export const id: number | bigint = await ids.next()
export const same: Id = await ids.next({ signal: AbortSignal.timeout(10) })
export const held: number | bigint | undefined = ids.tryNext()
ids.close()

const error: Error = new IdClientError('TIMEOUT', 'late')
if (error instanceof IdClientError) {
  const code: IdClientErrorCode = error.code
  const codes: Record<IdClientErrorCode, true> = {
    ABORTED: true, BAD_REQUEST: true, CLOSED: true, TIMEOUT: true, TOO_MANY_WAITERS: true, UNKNOWN_SEQUENCE: true,
  }
  console.log(codes[code])
}

// @ts-expect-error: servers are needed
new IdClient({})
// @ts-expect-error: an unknown option
new IdClient({ servers: [], batch: 5 })
// @ts-expect-error: an id may be a bigint
export const wrong: number = await ids.next()
// @ts-expect-error: there may be none
export const none: Id = ids.tryNext()
`

/** Takes three ids and is done; \`node\` must end by itself, with status 0. */
const RUN = `
import { IdClient } from 'seqsvr/client'
const ids = new IdClient({ servers: [process.argv[2]], waitMsMax: Number(process.argv[3]) })
try {
  console.log(String([await ids.next(), await ids.next(), await ids.next()]))
} catch (error) {
  console.log(error.code)
}
if (process.argv[4] === 'close') ids.close()
`

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

async function pack(folder: string, ...flags: string[]): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...flags], {
    cwd: ROOT,
  })
  return JSON.parse(stdout)[0]
}

/** A project of a user that has the published package, and nothing else. */
async function userProject(): Promise<string> {
  const folder = await temporaryFolder()
  const installed = join(folder, 'node_modules/seqsvr')
  await mkdir(installed, { recursive: true })
  const { filename } = await pack(folder)
  await run('tar', [
    '--extract',
    '--strip-components=1',
    `--directory=${installed}`,
    '--file',
    join(folder, filename),
  ])
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

describe('the published package', () => {
  let files: string[]

  beforeAll(async () => {
    files = (await pack('.', '--dry-run')).files.map(({ path }) => path)
  })

  it('has what the commands read, the client with its types, and what a host needs', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'config.yml',
        'deploy/compose.yml',
        'deploy/grafana-dashboard.json',
        'deploy/kubernetes/deployment.yaml',
        'deploy/nginx.conf',
        'deploy/prometheus-rules.yml',
        'deploy/seqsvr.service',
        'deploy/seqsvr.service.d/mysql.conf',
        'dist/client/id-client.d.ts',
        'dist/client/id-client.js',
        'dist/main.js',
        'docs/images/status-page.png',
        'docs/operations.md',
        'package.json',
        'rules/order_id.lua',
        'rules/task.lua',
        'schema.sql',
      ]),
    )
  })

  it('has no sources, no tests and no secrets', () => {
    const folders = new Set(files.map((path) => path.split('/').slice(0, -1).join('/')))
    expect([...folders].filter((folder) => !folder.startsWith('dist')).sort()).toEqual([
      '',
      'deploy',
      'deploy/kubernetes',
      'deploy/seqsvr.service.d',
      'docs',
      'docs/images',
      'rules',
    ])
    expect(files.filter((path) => /\.(env|pem|sqlite)$|password/.test(path))).toEqual([])
  })
})

describe("a user's project with nothing but the published package", () => {
  it.each([
    ['browsers', '"lib":["ES2022","DOM"],"types":[]', 'Bundler'],
    [
      'Node',
      `"lib":["ES2022"],"types":["node"],"typeRoots":[${JSON.stringify(join(ROOT, 'node_modules/@types'))}]`,
      'NodeNext',
    ],
  ])('type-checks the client strictly, with the libraries of %s', async (_where, libraries, resolution) => {
    const folder = await userProject()
    await writeFile(join(folder, 'use.ts'), TYPES)
    const module = resolution === 'Bundler' ? 'ESNext' : 'NodeNext'
    await writeFile(
      join(folder, 'tsconfig.json'),
      `{"compilerOptions":{"strict":true,"exactOptionalPropertyTypes":true,"noEmit":true,"target":"ES2022",` +
        `"module":"${module}","moduleResolution":"${resolution}",${libraries}}}`,
    )
    const { stdout } = await run(TSC, ['-p', folder]).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  })

  it.each(['close', 'leave open'])('runs the client, and ends by itself: %s', async (ending) => {
    const folder = await userProject()
    await writeFile(join(folder, 'run.js'), RUN)
    const instance = await SeqsvrProcess.start({ SEQSVR_SQLITE_FILE: join(folder, 'a.sqlite') })
    onTestFinished(() => instance.kill())
    const { stdout } = await run(process.execPath, ['run.js', instance.url, '5000', ending], {
      cwd: folder,
      timeout: EXIT_MS_MAX,
    })
    expect(stdout).toBe('100,101,102\n')
  })

  it('is told that no server answers, although nothing else keeps the process alive', async () => {
    const folder = await userProject()
    await writeFile(join(folder, 'run.js'), RUN)
    const { stdout } = await run(
      process.execPath,
      ['run.js', `http://127.0.0.1:${await freePort()}`, '300'],
      {
        cwd: folder,
        timeout: EXIT_MS_MAX,
      },
    )
    expect(stdout).toBe('TIMEOUT\n')
  })
})
