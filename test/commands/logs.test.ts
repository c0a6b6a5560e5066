import { getLogger } from '@logtape/logtape'
import { describe, expect, it, vi } from 'vitest'
import { createAdminLog } from '../../src/commands/admin-log.ts'
import { boundTo, listeningOn, urlOf } from '../../src/commands/listening.ts'

function openLog() {
  const log = getLogger('test')
  const info = vi.spyOn(log, 'info').mockImplementation(() => {})
  const warn = vi.spyOn(log, 'warn').mockImplementation(() => {})
  info.mockClear()
  warn.mockClear()
  return { log, info, warn }
}

describe('the log of what a person does', () => {
  it('has a line for each change, with its numbers', () => {
    const { log, info } = openLog()
    const observe = createAdminLog(log, () => 0)
    observe({ type: 'created', by: 'page', name: 'a "b"', numbers: { start: '1', step: 1000 } })
    observe({ type: 'advanced', by: 'admin API', name: null, numbers: { ids: '5', advanced: 2 } })
    expect(info.mock.calls).toEqual([
      ['created "a \\"b\\"" by the page', { sequence: 'a "b"', start: '1', step: 1000 }],
      ['advanced all sequences by the admin API', { ids: '5', advanced: 2 }],
    ])
  })

  it('I9: has one line a minute for wrong tokens, with the number of those left out', () => {
    const { log, warn } = openLog()
    let nowMs = 1_000
    const observe = createAdminLog(log, () => nowMs)
    for (let i = 0; i < 500; i++) observe({ type: 'wrong token', by: 'admin API' })
    nowMs = 60_999
    observe({ type: 'wrong token', by: 'admin API' })
    expect(warn).toHaveBeenCalledTimes(1)
    nowMs = 61_000
    observe({ type: 'wrong token', by: 'page' })
    expect(warn.mock.calls).toEqual([
      ['a wrong admin token came by the admin API', { untold: 0 }],
      ['a wrong admin token came by the page', { untold: 500 }],
    ])
  })
})

describe('where an instance listens, in words', () => {
  it.each([
    ['::', 'IPv6', ':8000', ':8000 (all interfaces)', 'http://127.0.0.1:8000'],
    ['0.0.0.0', 'IPv4', ':8000', ':8000 (all interfaces)', 'http://127.0.0.1:8000'],
    ['127.0.0.1', 'IPv4', '127.0.0.1:8000', 'http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['::1', 'IPv6', '[::1]:8000', 'http://[::1]:8000', 'http://[::1]:8000'],
  ])('on %s', (address, family, bound, logged, url) => {
    const socket = { address, family, port: 8000 }
    expect([boundTo(socket), listeningOn(socket, 'http://'), urlOf(socket)]).toEqual([bound, logged, url])
  })
})
