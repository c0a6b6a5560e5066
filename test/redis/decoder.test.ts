import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodeProgress, type DecoderLimits, decode } from '../../src/fronts/redis/decoder.ts'
import { DEFAULT_LIMITS } from './instance.ts'

interface Outcome {
  readonly commands: string[][]
  /** The protocol error that ended it. */
  readonly error?: string
  /** Bytes that are the start of a command. */
  readonly left: number
}

/** Decodes all that is in `chunks`, moving what is left over to another buffer before each further chunk. */
function decodeAll(
  chunks: readonly Buffer[],
  limits: DecoderLimits = DEFAULT_LIMITS,
  authenticated = true,
): Outcome {
  const progress = new DecodeProgress()
  const commands: string[][] = []
  let rest = Buffer.alloc(0)
  for (const chunk of chunks) {
    // Bytes before and after show that only those between `start` and `end` are looked at.
    const bytes = Buffer.concat([Buffer.from('*'), rest, chunk, Buffer.from('\r\n')])
    const end = bytes.length - 2
    let at = 1
    for (;;) {
      const decoded = decode(progress, bytes, at, end, limits, authenticated)
      if (decoded.type === 'incomplete') break
      if (decoded.type === 'error') return { commands, error: decoded.message, left: end - at }
      at += decoded.bytes
      if (decoded.args.length > 0) commands.push(decoded.args.map((arg) => arg.toString('latin1')))
    }
    rest = Buffer.from(bytes.subarray(at, end))
  }
  return { commands, left: rest.length }
}

function whole(text: string, limits?: DecoderLimits, authenticated?: boolean): Outcome {
  return decodeAll([Buffer.from(text, 'latin1')], limits, authenticated)
}

function byteByByte(text: string, limits?: DecoderLimits, authenticated?: boolean): Outcome {
  const bytes = Buffer.from(text, 'latin1')
  // The longest ones by 97 bytes: what is left is copied for each chunk here.
  const size = text.length > 1_000 ? 97 : 1
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  return decodeAll(chunks, limits, authenticated)
}

const accepted: readonly (readonly [text: string, commands: string[][]])[] = [
  ['*1\r\n$4\r\nPING\r\n', [['PING']]],
  ['*2\r\n$3\r\nGET\r\n$5\r\norder\r\n', [['GET', 'order']]],
  ['*2\r\n$3\r\nGET\r\n$0\r\n\r\n', [['GET', '']]],
  ['*2\r\n$4\r\nECHO\r\n$4\r\n\r\n*1\r\n', [['ECHO', '\r\n*1']]],
  ['*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n', [['PING'], ['PING']]],
  ['*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPINGyy', [['PING'], ['PING']]],
  ['*0\r\n*-1\r\n*-10\r\n*1\r\n$4\r\nPING\r\n', [['PING']]],
  ['PING\r\n', [['PING']]],
  ['PING\n', [['PING']]],
  ['\r\n\n  \r\n\tPING \t x\r\n', [['PING', 'x']]],
  ['ECHO "a b"\r\n', [['ECHO', 'a b']]],
  ['ECHO "\\x41\\n\\r\\t\\b\\a\\q\\"\\\\\\xZZ"\r\n', [['ECHO', 'A\n\r\t\b\x07q"\\xZZ']]],
  ["ECHO 'it\\'s \\n'\r\n", [['ECHO', "it's \\n"]]],
  ['ECHO "" \'\'\r\n', [['ECHO', '', '']]],
  ['ECHO a"b c"\r\n', [['ECHO', 'ab c']]],
  ['ECHO a\0b\r\nPING\r\n', [['ECHO', 'a'], ['PING']]],
  ['\0\r\nPING\r\n', [['PING']]],
  ['$3\r\nPING\r\n', [['$3'], ['PING']]],
  ['PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n', [['PING'], ['PING'], ['PING']]],
]

const refused: readonly (readonly [text: string, error: string])[] = [
  ['*x\r\n', 'invalid multibulk length'],
  ['*\r\n', 'invalid multibulk length'],
  ['*+1\r\n', 'invalid multibulk length'],
  ['*01\r\n', 'invalid multibulk length'],
  ['*-0\r\n', 'invalid multibulk length'],
  ['* 1\r\n', 'invalid multibulk length'],
  ['*16385\r\n', 'invalid multibulk length'],
  ['*9223372036854775808\r\n', 'invalid multibulk length'],
  ['*-99999999999999999999\r\n', 'invalid multibulk length'],
  ['*1\r\n+PING\r\n', "expected '$', got '+'"],
  ['*2\r\n$3\r\nGET\r\n:5\r\n', "expected '$', got ':'"],
  ['*1\r\n\r\n', "expected '$', got '\r'"],
  ['*1\r\n$-1\r\n', 'invalid bulk length'],
  ['*1\r\n$\r\n', 'invalid bulk length'],
  ['*1\r\n$x\r\n', 'invalid bulk length'],
  ['*1\r\n$01\r\n', 'invalid bulk length'],
  ['*1\r\n$65537\r\n', 'invalid bulk length'],
  [`*${'1'.repeat(65_536)}`, 'too big mbulk count string'],
  [`*1\r\n$${'1'.repeat(65_536)}`, 'too big bulk count string'],
  ['a'.repeat(65_537), 'too big inline request'],
  [`${'a'.repeat(65_537)}\r\n`, 'too big inline request'],
  ['SET "a\r\n', 'unbalanced quotes in request'],
  ['SET "a\\"\r\n', 'unbalanced quotes in request'],
  ["SET 'a\r\n", 'unbalanced quotes in request'],
  ['SET "a"b\r\n', 'unbalanced quotes in request'],
  ["SET 'a'b\r\n", 'unbalanced quotes in request'],
  ['SET "a\0"\r\n', 'unbalanced quotes in request'],
]

describe('the decoder of the Redis protocol', () => {
  it.each(accepted)('reads %j', (text, commands) => {
    expect(whole(text)).toEqual({ commands, left: 0 })
    expect(byteByByte(text)).toEqual({ commands, left: 0 })
  })

  it.each(refused.map(([text, error]) => [text.slice(0, 40), text, error] as const))(
    'refuses %j as redis-server does',
    (_start, text, error) => {
      expect(whole(text)).toMatchObject({ commands: [], error: `Protocol error: ${error}` })
      expect(byteByByte(text)).toMatchObject({ commands: [], error: `Protocol error: ${error}` })
      expect(whole(`PING\r\n${text}`)).toMatchObject({
        commands: [['PING']],
        error: `Protocol error: ${error}`,
      })
    },
  )

  it.each([
    ['*11\r\n', 'unauthenticated multibulk length'],
    ['*1\r\n$16385\r\n', 'unauthenticated bulk length'],
  ])('refuses %j before authentication only', (text, error) => {
    expect(byteByByte(text, DEFAULT_LIMITS, false).error).toBe(`Protocol error: ${error}`)
    expect(byteByByte(text, DEFAULT_LIMITS, true)).toEqual({ commands: [], left: text.length })
  })

  it('takes what clients send before authentication, up to its limits', () => {
    const command = '*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n'
    expect(byteByByte(command, DEFAULT_LIMITS, false)).toEqual({ commands: [['AUTH', 'secret']], left: 0 })
    for (const text of ['*10\r\n', '*1\r\n$16384\r\n'])
      expect(byteByByte(text, DEFAULT_LIMITS, false)).toEqual({ commands: [], left: text.length })
  })

  it.each([
    '',
    '*',
    '*0\r',
    '*-1\r',
    '*2\r',
    '*2\r\n$3\r\nGE',
    '*2\r\n$3\r\nGET\r',
    '*1\r\n$4\r\nPING\r',
    'PING',
    '"a b',
  ])('waits for more behind %j', (text) => {
    expect(whole(text)).toEqual({ commands: [], left: text.length })
    expect(byteByByte(text)).toEqual({ commands: [], left: text.length })
  })

  it('takes commands up to its limits, and none beyond them', () => {
    const limits = {
      ...DEFAULT_LIMITS,
      argumentsMax: 2,
      bulkBytesMax: 3,
      inlineBytesMax: 8,
      commandBytesMax: 20,
    }
    expect(whole('*2\r\n$3\r\nGET\r\n$1\r\na\r\n', limits).commands).toEqual([['GET', 'a']])
    expect(whole('*3\r\n', limits).error).toBe('Protocol error: invalid multibulk length')
    expect(whole('*2\r\n$4\r\n', limits).error).toBe('Protocol error: invalid bulk length')
    expect(whole('*2\r\n$3\r\nGET\r\n$2\r\naa\r\n', limits).error).toBe('Protocol error: too big command')
    expect(whole('12345678\n', limits).commands).toEqual([['12345678']])
    expect(whole('123456789\n', limits).error).toBe('Protocol error: too big inline request')
    expect(whole('*000000000', limits).error).toBe('Protocol error: too big mbulk count string')
    expect(whole('*1\r\n$00000000', limits).error).toBe('Protocol error: too big bulk count string')
    for (const text of ['12345678', '*0000000', '*1\r\n$0000000'])
      expect(byteByByte(text, limits)).toEqual({ commands: [], left: text.length })
    expect(byteByByte('*2\r\n$3\r\nGET\r\n$1\r\na\r\n', limits).commands).toEqual([['GET', 'a']])
  })

  it('looks at no byte behind the end: it is of a packet that was there before', () => {
    for (const [came, stale] of [
      ['*1', 'xxxx\r\n'],
      ['*1\r\n$4', 'xxxx\r\n'],
      ['PIN', 'xxxx\n'],
    ] as const) {
      const progress = new DecodeProgress()
      const early = decode(progress, Buffer.from(came + stale), 0, came.length, DEFAULT_LIMITS, true)
      expect(early).toEqual({ type: 'incomplete' })
      const command = Buffer.from(came === 'PIN' ? 'PING\n' : '*1\r\n$4\r\nPING\r\n')
      expect(decode(progress, command, 0, command.length, DEFAULT_LIMITS, true)).toEqual({
        type: 'command',
        args: [Buffer.from('PING')],
        bytes: command.length,
      })
    }
  })

  it('reads a command behind one of many arguments', () => {
    const many = Array.from({ length: 100 }, (_, i) => String(i % 10))
    const text = `*100\r\n${many.map((arg) => `$1\r\n${arg}\r\n`).join('')}*1\r\n$4\r\nPING\r\n`
    expect(whole(text).commands).toEqual([many, ['PING']])
  })

  it('reads any commands from any chunks of their bytes', () => {
    const argument = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
    const command = fc.array(argument, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), fc.infiniteStream(fc.nat(40)), (commands, sizes) => {
        const text = commands
          .map((args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`)
          .join('')
        expect(decodeAll(cut(Buffer.from(text, 'latin1'), sizes))).toEqual({ commands, left: 0 })
      }),
      { numRuns: 1_000 },
    )
  })

  it('gives the same for any chunks of any bytes', () => {
    const token = fc.constantFrom(
      ...[
        '*',
        '$',
        '\r\n',
        '\r',
        '\n',
        '0',
        '1',
        '2',
        '3',
        '-1',
        '99999',
        '"',
        "'",
        '\\',
        ' ',
        'a',
        'PING',
        '\0',
        '\xff',
      ],
    )
    const stream = fc.array(token, { maxLength: 60 }).map((tokens) => tokens.join(''))
    fc.assert(
      fc.property(stream, fc.infiniteStream(fc.nat(9)), fc.boolean(), (text, sizes, authenticated) => {
        const bytes = Buffer.from(text, 'latin1')
        const { commands, error } = whole(text, DEFAULT_LIMITS, authenticated)
        const cutUp = decodeAll(cut(bytes, sizes), DEFAULT_LIMITS, authenticated)
        expect([cutUp.commands, cutUp.error]).toEqual([commands, error])
      }),
      { numRuns: 5_000 },
    )
  })

  it('looks at no byte twice: time grows with the bytes, however they come', () => {
    // A mebibyte byte by byte, in 16,000 arguments: to start again at each byte would take hours.
    const args = Array.from({ length: 16_000 }, () => '$57\r\n'.concat('a'.repeat(57), '\r\n'))
    const text = `*16000\r\n${args.join('')}`
    const bytes = Buffer.from(text, 'latin1')
    const progress = new DecodeProgress()
    let last = decode(progress, bytes, 0, 0, DEFAULT_LIMITS, true)
    for (let end = 1; end <= bytes.length; end++) last = decode(progress, bytes, 0, end, DEFAULT_LIMITS, true)
    expect(last).toMatchObject({ type: 'command', bytes: bytes.length })
  })
})

function cut(bytes: Buffer, sizes: Iterator<number>): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + (sizes.next().value as number)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}
