import { readdir, rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { checkConfig } from '../../src/commands/check/config.ts'
import { isFit, toText } from '../../src/commands/check/report.ts'
import type { Finding } from '../../src/core/finding.ts'
import { seqsvr } from '../process/command.ts'
import {
  createDatabase,
  dropDatabase,
  MysqlServer,
  query,
  type TestDatabase,
} from '../support/mysql-server.ts'
import { mysqlEnv } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { only } from './findings.ts'

let server: MysqlServer

// Of its own, since a test changes its settings; and durable, which somebody else's may not be.
beforeAll(async () => {
  server = await MysqlServer.start()
})

afterAll(() => server.stop())

async function database(): Promise<TestDatabase> {
  const made = await createDatabase(server.login)
  onTestFinished(() => dropDatabase(made))
  return made
}

interface Report {
  readonly fit: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

async function report(
  args: readonly string[],
  env: Record<string, string>,
): Promise<[number | null, Report]> {
  const { code, stdout, stderr } = await seqsvr(['check', '--json', ...args], env)
  expect([stderr, stdout.trim().split('\n')]).toEqual(['', [expect.any(String)]])
  return [code, JSON.parse(stdout)]
}

const DUPLICATES = `
function min_counter() return 1 end
function max_counter() return 99999 end
function reset_seconds() return 86400 end
function create_id(counter, now, salt) return string.format('%02d', counter:generate_counter() % 100) end`

async function ruleFile(script: string): Promise<{ folder: string; config: string }> {
  const folder = await temporaryFolder()
  await writeFile(`${folder}/r.lua`, script)
  await writeFile(
    `${folder}/config.yml`,
    `udp: { rules: [{ name: r, lua_file: ${folder}/r.lua }], time_zone: Europe/Berlin }`,
  )
  return { folder, config: `${folder}/config.yml` }
}

describe('seqsvr check', () => {
  it('a durable server: exit 0, fit to serve', async () => {
    const { code, stdout, stderr } = await seqsvr(['check'], mysqlEnv(await database()))
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^ok: store-reachable: MySQL at .* answers in \d+\.\d ms$/m)
    expect(stdout).toMatch(/\n\nfit to serve: \d+ ok\n$/)
  })

  it('what can lead to duplicates: exit 1, first of all, with why and what to do', async () => {
    const env = mysqlEnv(await database())
    await query(server.login, 'SET GLOBAL innodb_flush_log_at_trx_commit = 2')
    onTestFinished(async () => {
      await query(server.login, 'SET GLOBAL innodb_flush_log_at_trx_commit = 1')
    })
    const { code, stdout } = await seqsvr(['check'], env)
    expect([code, stdout.split('\n').slice(0, 3)]).toEqual([
      1,
      [
        'danger: durability-redo-log: innodb_flush_log_at_trx_commit is 2',
        expect.stringMatching(/^ {2}why: .*leased again$/),
        expect.stringMatching(/^ {2}do: SET GLOBAL innodb_flush_log_at_trx_commit = 1/),
      ],
    ])
    expect(stdout).toMatch(/\nNOT fit to serve: 1 danger, \d+ ok\n$/)
  })

  it('a store that cannot be reached: exit 1, and the rules are looked at all the same', async () => {
    const { config } = await ruleFile(DUPLICATES)
    const env = { ...mysqlEnv(await database()), SEQSVR_MYSQL_PORT: '1' }
    const [code, { fit, findings }] = await report(['--config', config], env)
    expect([code, fit]).toEqual([1, false])
    expect(only(findings, 'store-reachable')).toMatchObject({
      severity: 'failed',
      what: expect.stringContaining('STORE_UNAVAILABLE'),
      why: expect.any(String),
      advice: expect.any(String),
    })
    expect(only(findings, 'rule-repeats').severity).toBe('warning')
    expect(only(findings, 'rule-time-zone').what).toContain('Europe/Berlin')
  })

  it('a rule that cannot be loaded: exit 1, with its file and line', async () => {
    const { config } = await ruleFile('function min_counter() return 1 end\nnonsense here')
    const [code, { findings }] = await report(['--config', config], mysqlEnv(await database()))
    expect(code).toBe(1)
    expect(only(findings, 'rule')).toMatchObject({
      severity: 'failed',
      what: expect.stringMatching(/r\.lua:2/),
      advice: 'mend the script',
    })
  })

  it('a script that is not there: exit 1, with where it is looked for', async () => {
    const { folder, config } = await ruleFile(DUPLICATES)
    await rm(`${folder}/r.lua`)
    const [code, { findings }] = await report(['--config', config], mysqlEnv(await database()))
    expect([code, only(findings, 'rule')]).toMatchObject([
      1,
      {
        severity: 'failed',
        what: `rule r: there is no file ${folder}/r.lua`,
        advice: 'put the file there, or mend lua_file',
      },
    ])
  })

  it('a wrong password: exit 1, with advice that says the server is well', async () => {
    const env = { ...mysqlEnv(await database()), SEQSVR_MYSQL_PASSWORD: 'wrong' }
    const [code, { findings }] = await report([], env)
    expect([code, only(findings, 'store-reachable')]).toMatchObject([
      1,
      {
        what: expect.stringContaining('wrong user or password'),
        advice: expect.stringContaining('the server runs and answers'),
      },
    ])
  })

  it('a rule that repeats ids alone: a warning, exit 0', async () => {
    const { config } = await ruleFile(DUPLICATES)
    const [code, { fit, counts }] = await report(['--config', config], mysqlEnv(await database()))
    expect([code, fit, counts]).toEqual([
      0,
      true,
      { danger: 0, failed: 0, warning: 1, ok: expect.any(Number) },
    ])
  })

  it('bad configuration: exit 78, with --json one object with every problem', async () => {
    const [code, { fit, findings }] = await report([], { SEQSVR_STEP: 'x', SEQSVR_PORT: 'y' })
    expect([code, fit]).toEqual([78, false])
    expect(findings.map(({ name, severity, what }) => [name, severity, what.split(':')[0]])).toEqual([
      ['config', 'failed', 'port'],
      ['config', 'failed', 'step'],
    ])
  })

  it('the embedded store: looks into the file and around it, and makes nothing', async () => {
    const folder = await temporaryFolder()
    const file = `${folder}/seqsvr.sqlite`
    const [, { findings }] = await report(['--sqlite-file', file], {})
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['file-system', 'disk-space', 'tables']),
    )
    expect(await readdir(folder)).toEqual([])
    expect((await seqsvr(['init', '--sqlite-file', file])).code).toBe(0)
    const [code, { findings: after }] = await report(['--sqlite-file', file, '--step', '7'], {})
    expect([code, only(after, 'agreement').severity]).toEqual([1, 'failed'])
  })
})

describe('the configuration', () => {
  const NOW_MS = Date.UTC(2026, 10, 21)

  it('says where it comes from', () => {
    const sources = {
      file: '/etc/seqsvr.yml',
      // The last is what Kubernetes tells of a service called seqsvr.
      env: { SEQSVR_STEP: '100', SEQSVR_MYSQL_HOST: '', HOME: '/', SEQSVR_PORT: 'tcp://10.0.0.1:8000' },
      flags: { 'log.level': 'debug', step: undefined },
    }
    expect(only(checkConfig(sources, NOW_MS), 'config').what).toBe(
      'the configuration is valid; it comes from /etc/seqsvr.yml, the environment (SEQSVR_STEP), flags (--log-level)',
    )
  })

  it('a clock that stands in 1970: warning system-clock', () => {
    const sources = { env: {}, flags: {} }
    expect(only(checkConfig(sources, 0), 'system-clock').severity).toBe('warning')
    expect(only(checkConfig(sources, NOW_MS), 'system-clock').severity).toBe('ok')
  })
})

describe('the report', () => {
  const finding = (severity: Finding['severity']): Finding => ({ name: 'x', severity, what: 'y' })

  it.each([
    [[], true],
    [['ok', 'warning'], true],
    [['ok', 'failed'], false],
    [['warning', 'danger'], false],
  ] as const)('%j: fit %j', (severities, fit) => {
    expect(isFit(severities.map(finding))).toBe(fit)
  })

  it('puts the gravest first', () => {
    const text = toText((['ok', 'warning', 'failed', 'danger'] as const).map(finding))
    expect(text.split('\n').map((line) => line.split(':')[0])).toEqual([
      'danger',
      'failed',
      'warning',
      'ok',
      '',
      'NOT fit to serve',
    ])
  })
})
