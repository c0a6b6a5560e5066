import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loaded, write } from './given.ts'

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
    output_bytes_max: 131_072,
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
    write('mysql_password', 's3cret\n')
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
    write('config.yml', 'step: 1')
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
