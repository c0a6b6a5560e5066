import { describe, expect, it } from 'vitest'
import { loaded, problemsOf, write } from './given.ts'

describe('secrets from files', () => {
  const yaml = 'mysql: {user: u, database: d}'

  it.each([
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    [' s3cret \n\n', ' s3cret \n'],
  ])('trim one line end: %j is %j', (content, password) => {
    write('password', content)
    expect(loaded({ yaml, env: { SEQSVR_MYSQL_PASSWORD_FILE: 'password' } }).mysql?.password).toBe(password)
  })

  it('are one setting with the secret itself, so that the later source wins', () => {
    write('password', 'from a file')
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
    write('password', 'from a file')
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
