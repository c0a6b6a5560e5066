import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureInstalled } from '../support/debian.ts'
import { freePort } from '../support/free-port.ts'
import { seededRandom } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { converse } from './exchange.ts'
import { RedisInstance } from './instance.ts'
import { MemorySegments } from './memory-segments.ts'

const STREAMS = 500
const SEED = Number(process.env.SEQSVR_TEST_FUZZ_SEED ?? Date.now() % 2 ** 31)

const PARTS = [
  ...[
    '*1\r\n',
    '*2\r\n',
    '*3\r\n',
    '*0\r\n',
    '*-1\r\n',
    '*01\r\n',
    '*x\r\n',
    '$4\r\nPING\r\n',
    '$4\r\nECHO\r\n',
    '$1\r\na\r\n',
  ],
  ...[
    '$-1\r\n',
    '$0\r\n\r\n',
    '$01\r\n',
    '$x\r\n',
    ':1\r\n',
    'PING\r\n',
    'ECHO x\n',
    'ECHO "a\\x41\\n" b\r\n',
    "ECHO 'it\\'s'\r\n",
  ],
  ...[
    'ECHO "a\r\n',
    'ECHO "a"b\r\n',
    '\r\n',
    '\n',
    '\r',
    ' ',
    'ping',
    'echo',
    'x',
    '"',
    "'",
    '\\',
    '*',
    '$',
    '1',
    '\t',
  ],
  ...[
    'GET\r\n',
    'SELECT a\r\n',
    'CLIENT foo\r\n',
    'CLIENT SETNAME\r\n',
    'HELLO 9\r\n',
    'HELLO 2 foo\r\n',
    'RESET\r\n',
    'foo a b\r\n',
  ],
]

/** redis-server from redis-tools: the same program as redis-check-rdb, which goes by the name it is called with. */
async function startRedisServer(port: number): Promise<() => Promise<void>> {
  const path = await ensureInstalled('redis-check-rdb', 'redis-tools')
  const child = spawn(path, ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    argv0: 'redis-server',
    cwd: await temporaryFolder(),
    stdio: 'ignore',
  })
  await until(10_000, async () => (await converse(port, ['PING\r\n']).catch(() => '')) === '+PONG\r\n+OK\r\n')
  return async () => {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  }
}

describe('beside a real redis-server', () => {
  let instance: RedisInstance
  beforeAll(async () => {
    instance = await RedisInstance.start(new MemorySegments())
  })
  afterAll(() => instance.stop())

  it(`answers ${STREAMS} random streams as it does, errors and all (seed ${SEED})`, async () => {
    const port = await freePort()
    const stopRedis = await startRedisServer(port)
    try {
      const random = seededRandom(SEED)
      for (let i = 0; i < STREAMS; i++) {
        let stream = ''
        for (let parts = random() * 8; parts > 0; parts--)
          stream += PARTS[Math.floor(random() * PARTS.length)]
        // Ends whatever it ends in: an argument, a quote, or a line; 3 further arguments at the most.
        stream += '\r\n*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nQUIT\r\n'
        const [ours, theirs] = [await converse(instance.port, [stream]), await converse(port, [stream])]
        expect([stream, ours]).toEqual([stream, theirs])
      }
    } finally {
      await stopRedis()
    }
  })
})
