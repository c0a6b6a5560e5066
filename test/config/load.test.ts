import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, type ConfigProblem, loadConfig } from '../../src/config/load.ts'
import { configKeys } from '../../src/config/schema.ts'

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

function loaded({ yaml, file, env = {}, flags = {} }: Given) {
  if (yaml !== undefined) writeFileSync(join(cwd, file ?? 'config.yml'), yaml)
  return loadConfig({ file, env, flags, cwd })
}

function problemsOf(given: Given): readonly ConfigProblem[] {
  try {
    loaded(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const DEFAULTS = {
  port: { host: undefined, port: 8000 },
  workers: 1,
  step: 100,
  first: 0,
  schema: 'auto',
  sqlite: { file: 'data/seqsvr.sqlite' },
  lease: { target_ms: 2_000, ids_max: 10_000_000 },
  provenance: { days: 30 },
  wait_ms_max: 1_000,
  waiters_max: 10_000,
  request_ids_max: 10_000,
  sequences_max: 100_000,
  admin: {},
  http: { connections_max: 10_000, keep_alive_ms: 75_000, express_lane: true },
  redis: {
    port: 'off',
    connections_max: 10_000,
    arguments_max: 16_384,
    bulk_bytes_max: 65_536,
    inline_bytes_max: 65_536,
    command_bytes_max: 1_048_576,
    unauthenticated_arguments_max: 10,
    unauthenticated_bulk_bytes_max: 16_384,
    output_bytes_max: 1_048_576,
    unread_ms_max: 7_000,
    idle_ms_max: 3_600_000,
  },
  udp: {
    port: { host: '127.0.0.1', port: 1200 },
    rules: [],
    id_step: 1,
    id_offset: 0,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    networks: [],
    counters_max: 10_000,
  },
  drain_ms: 10_000,
  log: { level: 'info' },
}

const MYSQL_DEFAULTS = {
  host: 'localhost',
  port: 3306,
  socket_path: undefined,
  user: 'root',
  password: '',
  database: 'sequence',
  tls: false,
  connect_timeout_ms: 800,
  timeout_ms: 3_000,
  connections_max: 4,
}

describe('the configuration without problems', () => {
  it('has defaults for everything but MySQL, with which there is no mysql', () => {
    expect(loaded({})).toEqual(DEFAULTS)
  })

  it.each([[''], ['# only a comment\n'], ['---\n'], ['sqlite:\nlog:\nstep:\n']])(
    'is the default one with the file %j',
    (yaml) => {
      expect(loaded({ yaml })).toEqual(DEFAULTS)
    },
  )

  it('is the default one with the config.yml that is shipped, which opens all fronts on loopback', () => {
    const yaml = readFileSync(new URL('../../config.yml', import.meta.url), 'utf8')
    const { redis, udp, ...rest } = loaded({ yaml })
    expect({ ...rest, redis: DEFAULTS.redis, udp: DEFAULTS.udp }).toEqual(DEFAULTS)
    expect(redis).toEqual({ ...DEFAULTS.redis, port: { host: '127.0.0.1', port: 6389 } })
    expect(udp.rules.map(({ name }) => name)).toEqual(['order_id', 'task'])
  })

  it('is valid with the commented example of the shipped config.yml', () => {
    const shipped = readFileSync(new URL('../../config.yml', import.meta.url), 'utf8')
    writeFileSync(join(cwd, 'mysql_password'), 's3cret\n')
    const yaml = shipped.replace(/^# (mysql:| {2})/gm, '$1').replace('/run/secrets/', '')
    expect(loaded({ yaml }).mysql).toMatchObject({ host: 'localhost', user: 'seqsvr', password: 's3cret' })
  })

  it("takes the older server's config.yml unchanged", () => {
    const yaml = `
port: ':8000'
step: 100
mysql:
  user: 'root'
  password: ''
  host: 'tcp(localhost:3306)'
  database: 'sequence'
  maxidle: 2
  maxopen: 10
`
    expect(loaded({ yaml })).toEqual({ ...DEFAULTS, mysql: MYSQL_DEFAULTS })
  })

  it('takes every key from the environment', () => {
    expect(
      loaded({
        env: {
          SEQSVR_PORT: '[::1]:1',
          SEQSVR_STEP: '1000000000',
          SEQSVR_FIRST: '1',
          SEQSVR_SCHEMA: 'manual',
          SEQSVR_MYSQL_HOST: 'unix(/run/mysqld.sock)',
          SEQSVR_MYSQL_USER: 'u',
          SEQSVR_MYSQL_PASSWORD: '0123 ',
          SEQSVR_MYSQL_DATABASE: 'd',
          SEQSVR_MYSQL_TLS: 'true',
          SEQSVR_MYSQL_CA_FILE: 'ca.pem',
          SEQSVR_MYSQL_CONNECT_TIMEOUT_MS: '10',
          SEQSVR_MYSQL_TIMEOUT_MS: '60000',
          SEQSVR_MYSQL_CONNECTIONS_MAX: '1',
          SEQSVR_SQLITE_FILE: '/x',
          SEQSVR_LEASE_TARGET_MS: '10',
          SEQSVR_LEASE_IDS_MAX: '1',
          SEQSVR_WAIT_MS_MAX: '2',
          SEQSVR_WAITERS_MAX: '3',
          SEQSVR_REQUEST_IDS_MAX: '4',
          SEQSVR_SEQUENCES_MAX: '7',
          SEQSVR_ADMIN_TOKEN: '0123456789abcdef',
          SEQSVR_REDIS_PORT: ':6389',
          SEQSVR_REDIS_PASSWORD: 'p',
          SEQSVR_UDP_ID_STEP: '3',
          SEQSVR_UDP_ID_OFFSET: '2',
          SEQSVR_HTTP_CONNECTIONS_MAX: '5',
          SEQSVR_HTTP_KEEP_ALIVE_MS: '6',
          SEQSVR_HTTP_EXPRESS_LANE: 'false',
          SEQSVR_PROVENANCE_DAYS: '0',
          SEQSVR_WORKERS: 'auto',
          SEQSVR_DRAIN_MS: '0',
          SEQSVR_LOG_LEVEL: 'error',
        },
      }),
    ).toEqual({
      port: { host: '::1', port: 1 },
      workers: 'auto',
      step: 1_000_000_000,
      first: 1,
      schema: 'manual',
      mysql: {
        host: 'localhost',
        port: 3306,
        socket_path: '/run/mysqld.sock',
        user: 'u',
        password: '0123 ',
        database: 'd',
        tls: true,
        ca_file: 'ca.pem',
        connect_timeout_ms: 10,
        timeout_ms: 60_000,
        connections_max: 1,
      },
      sqlite: { file: '/x' },
      lease: { target_ms: 10, ids_max: 1 },
      provenance: { days: 0 },
      wait_ms_max: 2,
      waiters_max: 3,
      request_ids_max: 4,
      sequences_max: 7,
      admin: { token: '0123456789abcdef' },
      redis: { ...DEFAULTS.redis, port: { host: undefined, port: 6389 }, password: 'p' },
      udp: { ...DEFAULTS.udp, id_step: 3, id_offset: 2 },
      http: { connections_max: 5, keep_alive_ms: 6, express_lane: false },
      drain_ms: 0,
      log: { level: 'error' },
    })
  })

  it('lets the environment win over the file, and flags over both', () => {
    const yaml = 'step: 1\nwaiters_max: 1\ndrain_ms: 1\nlog: {level: debug}'
    const env = { SEQSVR_WAITERS_MAX: '2', SEQSVR_DRAIN_MS: '2', SEQSVR_LOG_LEVEL: 'warn' }
    const flags = { drain_ms: '3', 'log.level': 'error', port: undefined }
    expect(loaded({ yaml, env, flags })).toEqual({
      ...DEFAULTS,
      step: 1,
      waiters_max: 2,
      drain_ms: 3,
      log: { level: 'error' },
    })
  })

  it('reads another file with --config', () => {
    writeFileSync(join(cwd, 'config.yml'), 'step: 1')
    expect(loaded({ file: 'other.yml', yaml: 'step: 2' }).step).toBe(2)
  })

  it.each([
    ['a host with its port', { SEQSVR_MYSQL_HOST: 'db:3307' }, { host: 'db', port: 3307 }],
    ['host and port', { SEQSVR_MYSQL_HOST: 'db', SEQSVR_MYSQL_PORT: '3307' }, { host: 'db', port: 3307 }],
    ['the same port twice', { SEQSVR_MYSQL_HOST: 'db:3307', SEQSVR_MYSQL_PORT: '3307' }, { port: 3307 }],
  ])('knows where MySQL is from %s', (_, env, mysql) => {
    expect(loaded({ yaml: 'mysql: {user: u, database: d}', env }).mysql).toMatchObject(mysql)
  })

  it('is frozen to its depth', () => {
    const config = loaded({ yaml: 'mysql: {user: u, database: d}' })
    expect(() => Object.assign(config, { step: 1 })).toThrow(TypeError)
    expect(() => Object.assign(config.port, { port: 1 })).toThrow(TypeError)
    expect(() => Object.assign(config.mysql ?? {}, { user: 'x' })).toThrow(TypeError)
  })
})

describe('secrets from files', () => {
  const yaml = 'mysql: {user: u, database: d}'

  it.each([
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    [' s3cret \n\n', ' s3cret \n'],
  ])('trim one line end: %j is %j', (content, password) => {
    writeFileSync(join(cwd, 'password'), content)
    expect(loaded({ yaml, env: { SEQSVR_MYSQL_PASSWORD_FILE: 'password' } }).mysql?.password).toBe(password)
  })

  it('are one setting with the secret itself, so that the later source wins', () => {
    writeFileSync(join(cwd, 'password'), 'from a file')
    const withFile = 'mysql: {user: u, database: d, password_file: password}'
    expect(loaded({ yaml: withFile, env: { SEQSVR_MYSQL_PASSWORD: 'direct' } }).mysql?.password).toBe(
      'direct',
    )
    const withSecret = 'mysql: {user: u, database: d, password: direct}'
    expect(
      loaded({ yaml: withSecret, env: { SEQSVR_MYSQL_PASSWORD_FILE: 'password' } }).mysql?.password,
    ).toBe('from a file')
  })

  it('are a problem when one source gives both', () => {
    const env = { SEQSVR_MYSQL_PASSWORD: 'direct', SEQSVR_MYSQL_PASSWORD_FILE: 'password' }
    writeFileSync(join(cwd, 'password'), 'from a file')
    expect(problemsOf({ yaml, env })).toEqual([
      { path: 'mysql.password_file', message: 'is given as well as mysql.password; give one of them' },
    ])
  })

  it('are a problem when the file cannot be read', () => {
    expect(problemsOf({ yaml, env: { SEQSVR_MYSQL_PASSWORD_FILE: 'nowhere' } })).toMatchObject([
      { path: 'mysql.password_file', message: expect.stringMatching(/^there is no file \/.*\/nowhere$/) },
    ])
  })

  it('never appear in a message', () => {
    const error = problemsOf({ yaml: 'mysql: {password: 12345, user: u, database: d}' })
    expect(error).toEqual([
      { path: 'mysql.password', message: 'must be text, but is a number; put it in quotes' },
    ])
  })
})

describe('problems', () => {
  it('are reported all at once', () => {
    const yaml = 'stepp: 1\nport: nonsense\nmysql: {hots: db, tls: maybe}\nlog: 3'
    const env = { SEQSVR_STEP: '0', SEQSVR_PROT: '8000' }
    const flags = { 'log.levle': 'debug', 'log.level': 'loud' }
    expect(problemsOf({ yaml, env, flags })).toEqual([
      { path: 'stepp', message: 'unknown key `stepp`; did you mean `step`?' },
      { path: 'mysql.hots', message: 'unknown key `hots`; did you mean `host`?' },
      { path: 'log', message: 'must be a block of keys and values' },
      {
        path: 'SEQSVR_PROT',
        message: 'unknown environment variable; did you mean `SEQSVR_PORT`?',
      },
      { path: 'log.levle', message: 'unknown key `log.levle`; did you mean `log.level`?' },
      {
        path: 'port',
        message:
          'must be an address such as :8000, 127.0.0.1:8000 or [::1]:8000, or a port, but is "nonsense"',
      },
      { path: 'step', message: 'must be a whole number from 1 to 1000000000, but is "0" (from SEQSVR_STEP)' },
      { path: 'mysql.user', message: 'is missing; set it in config.yml or as SEQSVR_MYSQL_USER' },
      { path: 'mysql.database', message: 'is missing; set it in config.yml or as SEQSVR_MYSQL_DATABASE' },
      { path: 'mysql.tls', message: 'must be false or true, but is "maybe"' },
      { path: 'log.level', message: 'must be debug, info, warn or error, but is "loud" (from --log-level)' },
    ])
  })

  it('are listed one a line in the message of the error', () => {
    expect(() => loaded({ yaml: 'step: 0\nfirst: 2' })).toThrow(
      'step: must be a whole number from 1 to 1000000000, but is 0\nfirst: must be 0 or 1, but is 2',
    )
  })

  it.each([
    ['step: 1.5', 'step', 'must be a whole number from 1 to 1000000000, but is 1.5'],
    ['workers: 0', 'workers', 'must be a whole number from 1 to 256, or auto, but is 0'],
    ['step: [1]', 'step', 'must be a whole number from 1 to 1000000000, but is [1]'],
    ['sqlite: {file: ""}', 'sqlite.file', 'must not be empty'],
    ['mysq: {user: u}', 'mysq', 'unknown key `mysq`; did you mean `mysql`?'],
    [
      '__proto__: {step: 3}',
      '__proto__',
      expect.stringContaining('unknown key `__proto__`; known are port, '),
    ],
    ['- step: 1', 'config.yml', 'must hold keys and values, such as `port: 8000`'],
    ['step: 1\nstep: 2', 'config.yml', expect.stringContaining('duplicated mapping key (2:1)')],
    [
      'mysql: {user: u, database: d, host: "user@db"}',
      'mysql.host',
      'must be a host such as localhost, db:3307, tcp(localhost:3306) or unix(/run/mysqld.sock), but is "user@db"',
    ],
    [
      'mysql: {user: u, database: d, host: "db:3307", port: 3306}',
      'mysql.port',
      'is 3306, but mysql.host says 3307; give the port once',
    ],
    ['mysql: {user: u, database: d, ca_file: ca.pem}', 'mysql.ca_file', 'has no effect unless tls is true'],
  ])('%s', (yaml, path, message) => {
    expect(problemsOf({ yaml })).toEqual([{ path, message }])
  })

  it.each([['mysql:'], ['mysql: {}']])('are that user and database are missing with %j', (yaml) => {
    expect(problemsOf({ yaml }).map(({ path }) => path)).toEqual(['mysql.user', 'mysql.database'])
  })

  it('are that user and database are missing when only a variable or a flag names MySQL', () => {
    expect(problemsOf({ env: { SEQSVR_MYSQL_HOST: 'db' } }).map(({ path }) => path)).toEqual([
      'mysql.user',
      'mysql.database',
    ])
    expect(problemsOf({ flags: { 'mysql.host': 'db' } })).toHaveLength(2)
  })

  it('include a file that was asked for and is not there', () => {
    expect(problemsOf({ file: 'other.yml' })).toEqual([
      { path: 'other.yml', message: expect.stringMatching(/^there is no file \/.*\/other\.yml$/) },
    ])
  })

  it('say in which file a key is to be set', () => {
    expect(problemsOf({ file: 'mine.yml', yaml: 'mysql: { user: u }' })).toEqual([
      { path: 'mysql.database', message: 'is missing; set it in mine.yml or as SEQSVR_MYSQL_DATABASE' },
    ])
  })

  it('are worded for people in rules too', () => {
    const yaml = `
udp:
  rules:
    - { name: a }
    - { lua_file: b.lua, batch_save: 0 }
    - { name: 3, lua_file: '', batch: 5 }
    - { name: d, lua_file: d.lua, batch_save: 1.5 }
    - order_id`
    expect(problemsOf({ yaml })).toEqual([
      { path: 'udp.rules.0.lua_file', message: 'is missing' },
      { path: 'udp.rules.1.name', message: 'is missing' },
      { path: 'udp.rules.1.batch_save', message: 'must be a whole number from 1 to 10000' },
      { path: 'udp.rules.2.name', message: 'must be text; put it in quotes' },
      { path: 'udp.rules.2.lua_file', message: 'must not be empty' },
      { path: 'udp.rules.2', message: 'unknown key `batch`; known are name, lua_file, batch_save' },
      { path: 'udp.rules.3.batch_save', message: 'must be a whole number from 1 to 10000' },
      { path: 'udp.rules.4', message: 'must be a rule: { name: …, lua_file: … }' },
    ])
  })
})

describe('the environment', () => {
  it.each([
    ['SEQSVR_SERVICE_HOST', '10.0.0.1'],
    ['SEQSVR_SERVICE_PORT', '8000'],
    ['SEQSVR_SERVICE_PORT_HTTP', '8000'],
    ['SEQSVR_PORT', 'tcp://10.0.0.1:8000'],
    ['SEQSVR_PORT_8000_TCP', 'tcp://10.0.0.1:8000'],
    ['SEQSVR_PORT_8000_TCP_PROTO', 'tcp'],
    ['SEQSVR_PORT_8000_TCP_PORT', '8000'],
    ['SEQSVR_PORT_8000_TCP_ADDR', '10.0.0.1'],
    ['SEQSVR_PORT_1200_UDP', 'udp://10.0.0.1:1200'],
    ['SEQSVR_MYSQL_SERVICE_HOST', '10.0.0.2'],
    ['SEQSVR_MYSQL_PORT', 'tcp://10.0.0.2:3306'],
    ['SEQSVR_MYSQL_PORT_3306_TCP_ADDR', '10.0.0.2'],
    ['SEQSVR_TEST_MYSQL', 'yes'],
    ['SEQSVR_STEP', ''],
    ['SEQSVR_MYSQL_HOST', ''],
    ['PATH', '/bin'],
  ])('is not a setting: %s=%s', (name, value) => {
    expect(loaded({ env: { [name]: value } })).toEqual(DEFAULTS)
  })
})

describe('configKeys', () => {
  it('lists every key once, with its variable, default and description', () => {
    const paths = configKeys.map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    expect(configKeys.find(({ path }) => path === 'mysql.password_file')?.env).toBe(
      'SEQSVR_MYSQL_PASSWORD_FILE',
    )
    expect(configKeys.find(({ path }) => path === 'mysql.port')?.default).toBe(3306)
    expect(configKeys.find(({ path }) => path === 'port')).toEqual({
      path: 'port',
      env: 'SEQSVR_PORT',
      default: ':8000',
      description: 'address of HTTP; without a host, all interfaces; with port 0 the system picks one',
      secret: false,
    })
  })

  it('has the file of each secret among the keys', () => {
    const paths = configKeys.map(({ path }) => path)
    for (const { path } of configKeys.filter(({ secret }) => secret)) expect(paths).toContain(`${path}_file`)
  })
})
