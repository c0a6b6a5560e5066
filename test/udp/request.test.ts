import { describe, expect, it } from 'vitest'
import { decodeRequest, RequestReader } from '../../src/fronts/udp/request.ts'

const decode = (text: string) => decodeRequest(Buffer.from(text))

describe('a datagram', () => {
  it('is a request with all of its fields', () => {
    expect(decode('{"action":"get","rule_name":"r","app_name":"a","salt":"s","seq":7,"more":1}')).toEqual({
      action: 'get',
      rule_name: 'r',
      app_name: 'a',
      salt: 's',
      seq: '7',
    })
  })

  it('is a request without any of them', () => {
    expect(decode('{}')).toEqual({
      action: undefined,
      rule_name: undefined,
      app_name: undefined,
      salt: undefined,
      seq: undefined,
    })
  })

  it.each(['1', 'true', 'null', '["r"]', '{"r":"r"}'])('has no text where a field is %s', (value) => {
    expect(
      decode(`{"action":${value},"rule_name":${value},"app_name":${value},"salt":${value}}`),
    ).toMatchObject({ action: undefined, rule_name: undefined, app_name: undefined, salt: undefined })
  })

  it.each([' {"action":"get"}', '\r\n\t {"action":"get"}', `${' '.repeat(63)}{"action":"get"}`])(
    'may begin with space: %j',
    (text) => {
      expect(decode(text)?.action).toBe('get')
    },
  )

  it.each(['', ' ', 'x', '{', '[]', '[{}]', '"{}"', 'null', '1', '{"a":}', '{}x', '\0{}', ' x', ' [{}]'])(
    'is no request: %j',
    (text) => {
      expect(decode(text)).toBeUndefined()
    },
  )

  it('is no request where it is a reply, which is not answered: two servers would ask each other for ever', () => {
    for (const code of ['0', '-1']) expect(decode(`{"action":"get","code":${code}}`)).toBeUndefined()
    expect(decode('{"action":"get","code":"0"}')?.action).toBe('get')
  })

  it.each([
    ['a text', '"a\\u0062\\"c"', '"ab\\"c"'],
    ['a whole number', '7', '7'],
    ['the greatest whole number that is exact', '9007199254740991', '9007199254740991'],
    ['one beyond it', '9007199254740993', '9007199254740993'],
    ['a number of 20 digits', '12345678901234567890', '12345678901234567890'],
    ['a number with a fraction', '-0.10', '-0.10'],
    ['an exponent', '1e400', '1e400'],
    ['true', 'true', 'true'],
    ['false', 'false', 'false'],
    ['null', 'null', 'null'],
    ['an empty object', '{}', '{}'],
    ['an object with a seq', '{"seq": [1, {"seq": 1.0}], "b": 1.0}', '{"seq": [1, {"seq": 1.0}], "b": 1.0}'],
    ['an array of brackets', '[ "]", "},", [{}], 1.0 ]', '[ "]", "},", [{}], 1.0 ]'],
    ['an array of texts like members', '[",\\"seq\\":", "\\\\", 1.0]', '[",\\"seq\\":", "\\\\", 1.0]'],
  ])('gives its seq back as it was sent: %s', (_, sent, expected) => {
    for (const json of [
      `{"seq":${sent}}`,
      `{ "seq" : ${sent} }`,
      `{"a":[{"seq":0.5}],"seq":${sent},"b":{"seq":0.5}}`,
      `{"a":"\\"seq\\":0.5","seq":${sent},"b":"seq"}`,
      `{"seq":0.5,"seq":${sent}}`,
      `{"seq":{"seq":0.5},"s\\u0065q":${sent},"seq2":0.5}`,
      `{"a":{},"b":[],"seq":${sent}\n,\n"b":1.5}`,
    ])
      expect(decode(json)?.seq, json).toBe(expected)
  })
})

describe('datagrams one after the other', () => {
  const reader = new RequestReader()
  const read = (text: string) => reader.read(Buffer.from(text))

  it('are told apart by every byte', () => {
    for (let again = 0; again < 2; again++) {
      expect(read('{"rule_name":"é"}')?.rule_name).toBe('é')
      expect(read('{"rule_name":"e"}')?.rule_name).toBe('e')
      expect(read('{"rule_name":"\u00c3\u00a9"}')?.rule_name).toBe('\u00c3\u00a9')
      expect(read('{"rule_name":"r","seq":1}')?.seq).toBe('1')
      expect(read('{"rule_name":"r","seq":2}')?.seq).toBe('2')
      expect(read('{"rule_name":"r"}')?.seq).toBeUndefined()
      expect(read('{"rule_name":"r"')).toBeUndefined()
      expect(read(`{"rule_name":"r"}${' '.repeat(1_000)}`)?.rule_name).toBe('r')
    }
  })

  it('are known when they come again, unless they are long or have a seq', () => {
    const long = (bytes: number) => `{}${' '.repeat(bytes - 2)}`
    for (const text of ['{"rule_name":"r"}', long(256)]) expect(read(text)).toBe(read(text))
    for (const text of ['{"rule_name":"r","seq":1}', long(257)]) expect(read(text)).not.toBe(read(text))
  })

  it('I9: are forgotten once there are more than 1,024', () => {
    const other = new RequestReader()
    const request = (i: number) => other.read(Buffer.from(`{"app_name":"${i}"}`))
    const first = request(0)
    for (let i = 1; i < 1_024; i++) request(i)
    expect(request(0)).toBe(first)
    request(1_024)
    expect(request(0)).not.toBe(first)
  })

  it('I9: are requests as before, however many different ones there are', () => {
    for (let again = 0; again < 2; again++)
      for (let i = 0; i < 3_000; i++) expect(read(`{"app_name":"${i}"}`)?.app_name).toBe(String(i))
  })
})
