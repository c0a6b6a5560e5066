import { describe, expect, it } from 'vitest'
import { loaded, problemsOf } from './given.ts'

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
