import { describe, expect, it } from 'vitest'
import { configKeys } from '../../src/config/schema.ts'

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
