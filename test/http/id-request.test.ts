import { describe, expect, it } from 'vitest'
import { acceptedFormat, readIdRequest } from '../../src/fronts/http/id-request.ts'

const read = (query: string, accept?: string) => readIdRequest(new URLSearchParams(query), accept, 100)

describe('a request for ids', () => {
  it.each([
    ['', undefined, undefined, 'json'],
    ['count=1', undefined, 1, 'json'],
    ['count=007', undefined, 7, 'json'],
    ['count=100&format=string', undefined, 100, 'string'],
    ['format=text', undefined, undefined, 'text'],
    ['format=json', 'text/plain', undefined, 'json'],
    ['', 'text/plain', undefined, 'text'],
    ['', 'text/html, text/plain;q=0.5', undefined, 'text'],
    ['', 'application/json, text/plain, */*', undefined, 'json'],
    ['', 'text/html', undefined, 'json'],
  ] as const)('%j that accepts %j', (query, accept, count, format) => {
    expect(read(query, accept)).toEqual({ count, format })
  })

  it.each([
    '0',
    '101',
    '-1',
    '+1',
    '1.0',
    '1.5',
    '1e1',
    '0x1',
    '',
    ' 1',
    '1 ',
    'x',
    'x1',
    '1x',
    '0000000001',
  ])('of count %j is refused, with what is allowed', (count) => {
    expect(() => read(`count=${encodeURIComponent(count)}`)).toThrow(
      expect.objectContaining({
        code: 'BAD_REQUEST',
        message: 'count must be a whole number from 1 to 100',
      }),
    )
  })

  it.each(['xml', '', 'JSON', 'text '])('of format %j is refused, with what is allowed', (format) => {
    expect(() => read(`format=${format}`)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: 'format must be json, string or text' }),
    )
  })

  it('gives JSON to who names both or neither', () => {
    expect(
      [undefined, '', '*/*', 'application/json', 'text/plain', 'text/plain, application/json'].map(
        acceptedFormat,
      ),
    ).toEqual(['json', 'json', 'json', 'json', 'text', 'json'])
  })
})
