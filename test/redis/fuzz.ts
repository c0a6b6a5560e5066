type Random = () => number

const NAMES = ['a', 'b', 'order', 'user:1', 'ä', '', 'x'.repeat(200)]
const NUMBERS = [
  '0',
  '1',
  '5',
  '500',
  '10001',
  '-1',
  '9007199254740990',
  '9223372036854775806',
  '9'.repeat(30),
  'x',
]
const SPLINTERS = [
  '*',
  '$',
  '\r\n',
  '\n',
  '\r',
  '"',
  "'",
  '\\',
  ' ',
  '\0',
  '\xff',
  '*-1\r\n',
  '*0\r\n',
  '$-1\r\n',
  '*2\r\n',
  '$5\r\n',
]

const COMMANDS: readonly ((random: Random) => string[])[] = [
  (random) => ['GET', pick(NAMES, random)],
  // Often enough that the same bytes come again, with and without something between.
  (random) => ['GET', 'order', ...(random() < 0.1 ? ['x'] : [])],
  () => ['GET', 'order'],
  () => ['INCR', 'order'],
  () => ['INCR', 'order'],
  (random) => ['incr', pick(NAMES, random)],
  (random) => ['INCRBY', pick(NAMES, random), pick(NUMBERS, random)],
  (random) => ['SET', pick(NAMES, random), pick(NUMBERS, random), ...(random() < 0.2 ? ['NX'] : [])],
  (random) => ['MGET', pick(NAMES, random), pick(NAMES, random)],
  (random) => ['DEL', pick(NAMES, random)],
  (random) => ['EXISTS', pick(NAMES, random), 'order'],
  (random) => ['HELLO', random() < 0.5 ? '3' : '2'],
  () => ['PING'],
  () => ['INFO'],
  () => ['CLIENT', 'GETNAME'],
  () => ['CONFIG', 'GET', '*'],
  () => ['COMMAND', 'DOCS', 'get'],
  () => ['RESET'],
  () => ['nonsense', 'a\r\nb'],
]

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T
}

function written(args: readonly string[], random: Random): string {
  if (random() < 0.3 && args.every((arg) => /^[\w:]+$/.test(arg)))
    return `${args.join(' ')}${random() < 0.5 ? '\r\n' : '\n'}`
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`
}

/** Commands with an ECHO behind each, which shows that the replies are those to the commands. */
export function conversation(random: Random): { bytes: Buffer; commands: number } {
  const commands = 1 + Math.floor(random() * 6)
  let text = ''
  for (let i = 0; i < commands; i++) {
    const args = pick(COMMANDS, random)(random)
    text += written(args, random)
    text += written(['ECHO', `mark${i}`], random)
  }
  return { bytes: Buffer.from(text), commands }
}

/** With some bytes more, fewer, or others. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length)
  const until = at + Math.floor(random() * 6)
  const splinter = Buffer.from(pick(SPLINTERS, random), 'latin1')
  switch (Math.floor(random() * 4)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), splinter, bytes.subarray(at)])
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)])
    case 2:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)])
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([random() * 256]), bytes.subarray(at + 1)])
  }
}

/** In packets of some bytes. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = []
  const most = random() < 0.2 ? 1 : 40
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(random() * most)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}
