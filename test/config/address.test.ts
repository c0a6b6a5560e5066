import { describe, expect, it } from 'vitest'
import { parseListenAddress, parseMysqlAddress } from '../../src/config/address.ts'

describe('parseListenAddress', () => {
  it.each([
    [':8000', { host: undefined, port: 8000 }],
    [8000, { host: undefined, port: 8000 }],
    ['8000', { host: undefined, port: 8000 }],
    [0, { host: undefined, port: 0 }],
    ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    ['my_host.example-1.org:1', { host: 'my_host.example-1.org', port: 1 }],
    ['[::1]:8000', { host: '::1', port: 8000 }],
    ['[::]:0', { host: '::', port: 0 }],
  ])('reads %j', (value, address) => {
    expect(parseListenAddress(value)).toEqual(address)
  })

  it.each([
    [''],
    [':'],
    ['localhost'],
    ['65536'],
    [-1],
    [8000.5],
    ['::1:8000'],
    ['[::1]'],
    ['[nonsense]:8000'],
    ['256.0.0.1:8000'],
    ['a host:8000'],
    ['http://localhost:8000'],
    ['8000 '],
    [true],
    [null],
    [undefined],
    [['8000']],
  ])('refuses %j', (value) => {
    expect(parseListenAddress(value)).toBeUndefined()
  })
})

describe('parseMysqlAddress', () => {
  it.each([
    ['localhost', { host: 'localhost' }],
    ['10.0.0.7', { host: '10.0.0.7' }],
    ['db:3307', { host: 'db', port: 3307 }],
    ['tcp(localhost:3306)', { host: 'localhost', port: 3306 }],
    ['tcp(db.example.org)', { host: 'db.example.org' }],
    ['tcp([::1]:3306)', { host: '::1', port: 3306 }],
    ['[::1]', { host: '::1' }],
    ['unix(/run/mysqld.sock)', { socketPath: '/run/mysqld.sock' }],
  ])('reads %j', (value, address) => {
    expect(parseMysqlAddress(value)).toEqual(address)
  })

  it.each([
    [''],
    [':3306'],
    ['3306'],
    ['db:0'],
    ['tcp()'],
    ['tcp(db'],
    ['unix()'],
    ['unix(relative)'],
    ['user@db'],
    ['mysql://db'],
    [3306],
    [null],
  ])('refuses %j', (value) => {
    expect(parseMysqlAddress(value)).toBeUndefined()
  })
})
