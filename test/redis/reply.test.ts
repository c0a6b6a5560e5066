import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { Output } from '../../src/fronts/redis/output.ts'
import {
  array,
  bulk,
  encode,
  err,
  failure,
  integer,
  NIL,
  OK,
  type Reply,
} from '../../src/fronts/redis/reply.ts'

function encoded(reply: Reply, protocol: 2 | 3): string {
  const output = new Output(1)
  encode(reply, protocol, output)
  return output.cutOff().toString()
}

describe('replies on the wire', () => {
  it.each<[Reply, string, string]>([
    [OK, '+OK\r\n', '+OK\r\n'],
    [err('no'), '-ERR no\r\n', '-ERR no\r\n'],
    [err('a\r\n+OK\r\nb'), '-ERR a  +OK  b\r\n', '-ERR a  +OK  b\r\n'],
    [integer(0), ':0\r\n', ':0\r\n'],
    [integer(-2), ':-2\r\n', ':-2\r\n'],
    [bulk(''), '$0\r\n\r\n', '$0\r\n\r\n'],
    [bulk('ä\r\n'), '$4\r\nä\r\n\r\n', '$4\r\nä\r\n\r\n'],
    [bulk(Buffer.from('ab')), '$2\r\nab\r\n', '$2\r\nab\r\n'],
    [NIL, '$-1\r\n', '_\r\n'],
    [{ type: 'text', text: 'hä' }, '$3\r\nhä\r\n', '=7\r\ntxt:hä\r\n'],
    [array([]), '*0\r\n', '*0\r\n'],
    [array([OK, NIL]), '*2\r\n+OK\r\n$-1\r\n', '*2\r\n+OK\r\n_\r\n'],
    [{ type: 'map', entries: [['k', integer(1)]] }, '*2\r\n$1\r\nk\r\n:1\r\n', '%1\r\n$1\r\nk\r\n:1\r\n'],
  ])('%j', (reply, resp2, resp3) => {
    expect(encoded(reply, 2)).toBe(resp2)
    expect(encoded(reply, 3)).toBe(resp3)
  })

  it('I6: ids are exact in both forms, from the least to the greatest', () => {
    const ids = [
      0n,
      2n ** 31n - 1n,
      2n ** 31n,
      2n ** 31n + 1n,
      2n ** 32n,
      2n ** 53n - 1n,
      2n ** 53n,
      2n ** 63n - 1n,
    ]
    for (let power = 1n; power < 10n ** 19n; power *= 10n) ids.push(power - 1n, power, power + 1n)
    for (const exact of ids) {
      const id = exact < 2n ** 53n ? Number(exact) : exact
      const digits = exact.toString()
      expect(encoded(integer(id), 2)).toBe(`:${digits}\r\n`)
      expect(encoded({ type: 'id', id }, 3)).toBe(`$${digits.length}\r\n${digits}\r\n`)
    }
  })

  it('operating errors leave with their code, and bugs do not leave at all', () => {
    const exhausted = new SequenceError('EXHAUSTED', 'no ids are left in "a\nb"')
    expect(encoded(failure(exhausted), 2)).toBe('-EXHAUSTED no ids are left in "a b"\r\n')
    expect(() => failure(new TypeError('bug'))).toThrow(TypeError)
  })

  it('keeps what a wire holds while it goes on to write', () => {
    const output = new Output(8)
    output.text('first')
    const held = output.cutOff()
    output.leave()
    output.text('second')
    expect(held.toString()).toBe('first')
    expect(output.cutOff().toString()).toBe('second')
  })

  it('keeps what was cut off while it grows, and takes back what was not', () => {
    const output = new Output(8)
    output.text('a')
    const first = output.cutOff()
    output.text('dropped')
    output.drop()
    expect(output.length).toBe(0)
    output.text('x'.repeat(100))
    expect(output.cutOff().toString()).toBe('x'.repeat(100))
    expect(first.toString()).toBe('a')
  })

  it('I9: writes into the same memory again, and gives back what a large reply took', () => {
    const output = new Output(64)
    output.text('12345678')
    const { buffer } = output.cutOff()
    output.clear()
    expect(output.length).toBe(0)
    output.text('ab')
    expect(output.length).toBe(2)
    const again = output.cutOff()
    expect(again.toString()).toBe('ab')
    expect(again.buffer).toBe(buffer)
    output.text('x'.repeat(1_000))
    expect(output.length).toBe(1_000)
    expect(output.cutOff().toString()).toBe('x'.repeat(1_000))
    output.clear()
    expect([output.length, output.cutOff().buffer.byteLength]).toEqual([0, 64])
  })
})
