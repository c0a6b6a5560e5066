import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RedisFrontOptions } from '../../src/fronts/redis/server.ts'
import { until } from '../support/until.ts'
import { converse, RawClient } from './exchange.ts'
import { RedisInstance } from './instance.ts'
import { MemorySegments } from './memory-segments.ts'

let segments: MemorySegments
let instances: RedisInstance[]
let clients: RawClient[]

beforeEach(() => {
  segments = new MemorySegments()
  instances = []
  clients = []
})

afterEach(async () => {
  segments.release()
  for (const client of clients) client.close()
  for (const instance of instances) await instance.stop()
})

async function start(options: Partial<RedisFrontOptions> = {}): Promise<RedisInstance> {
  const instance = await RedisInstance.start(segments, options)
  instances.push(instance)
  return instance
}

async function connect({ port }: RedisInstance): Promise<RawClient> {
  const client = await RawClient.connect(port)
  clients.push(client)
  return client
}

describe('commands that need no sequence', () => {
  // The answers of redis-server 7.0.15.
  it.each([
    ['PING', '+PONG\r\n'],
    ['ping "a b"', '$3\r\na b\r\n'],
    ['PING a b', "-ERR wrong number of arguments for 'ping' command\r\n"],
    ['ECHO x', '$1\r\nx\r\n'],
    ['ECHO', "-ERR wrong number of arguments for 'echo' command\r\n"],
    ['get', "-ERR wrong number of arguments for 'get' command\r\n"],
    ['Foo a b', "-ERR unknown command 'Foo', with args beginning with: 'a' 'b' \r\n"],
    ['FOO', "-ERR unknown command 'FOO', with args beginning with: \r\n"],
    ['foo "a\\r\\nb"', "-ERR unknown command 'foo', with args beginning with: 'a  b' \r\n"],
    ['TTL k', "-ERR unknown command 'TTL', with args beginning with: 'k' \r\n"],
    ['SELECT 15', '+OK\r\n'],
    ['SELECT a', '-ERR value is not an integer or out of range\r\n'],
    ['SELECT -1', '-ERR DB index is out of range\r\n'],
    ['CLIENT', "-ERR wrong number of arguments for 'client' command\r\n"],
    ['CLIENT foo', "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"],
    ['CLIENT SETNAME', "-ERR wrong number of arguments for 'client|setname' command\r\n"],
    ['CLIENT SETNAME "a b"', '-ERR Client names cannot contain spaces, newlines or special characters.\r\n'],
    ['CLIENT GETNAME', '$-1\r\n'],
    ['CLIENT SETNAME me\r\nCLIENT GETNAME', '+OK\r\n$2\r\nme\r\n'],
    ['CLIENT SETINFO LIB-NAME x', '+OK\r\n'],
    ['CLIENT ID', ':1\r\n'],
    ['CONFIG GET save', '*2\r\n$4\r\nsave\r\n$0\r\n\r\n'],
    ['CONFIG GET nope', '*0\r\n'],
    ['CONFIG GET', "-ERR wrong number of arguments for 'config|get' command\r\n"],
    ['CONFIG foo', "-ERR unknown subcommand 'foo'. Try CONFIG HELP.\r\n"],
    ['HELLO 4', '-NOPROTO unsupported protocol version\r\n'],
    ['HELLO x', '-ERR Protocol version is not an integer or out of range\r\n'],
    ['HELLO 2 foo', "-ERR Syntax error in HELLO option 'foo'\r\n"],
    ['HELLO 2 SETNAME', "-ERR Syntax error in HELLO option 'SETNAME'\r\n"],
    [
      'HELLO 3',
      '%7\r\n$6\r\nserver\r\n$6\r\nseqsvr\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n' +
        '$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n',
    ],
    ['HELLO 3 SETNAME x\r\nHELLO 2\r\nRESET\r\nCLIENT GETNAME', /^%7[\s\S]*\*14[\s\S]*\+RESET\r\n\$-1\r\n$/],
    [
      'HELLO 3\r\nGET nope\r\nCONFIG GET save\r\nINFO nope',
      /_\r\n%1\r\n\$4\r\nsave\r\n\$0\r\n\r\n=4\r\ntxt:\r\n$/,
    ],
    ['AUTH default x', '+OK\r\n'],
    ['AUTH a b c', '-ERR syntax error\r\n'],
    [
      'AUTH x',
      '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n',
    ],
    ['RESET x', "-ERR wrong number of arguments for 'reset' command\r\n"],
    ['COMMAND INFO nope', '*1\r\n$-1\r\n'],
    [
      'COMMAND INFO GET',
      '*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+write\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*0\r\n*0\r\n',
    ],
    ['COMMAND COUNT', ':18\r\n'],
    ['INFO persistence', '$26\r\n# Persistence\r\nloading:0\r\n\r\n'],
    [
      'INFO',
      /\r\nredis_version:7.0.15\r\n[\s\S]*connected_clients:1\r\n[\s\S]*loading:0\r\n[\s\S]*sequences_in_memory:0\r\n/,
    ],
  ] satisfies [string, string | RegExp][])('%j', async (request, answer) => {
    const { port } = await start()
    const got = await converse(port, [`${request}\r\n`])
    if (typeof answer === 'string') expect(got).toBe(`${answer}+OK\r\n`)
    else expect(got.replace(/\+OK\r\n$/, '')).toMatch(answer)
  })

  it('QUIT is answered, and what comes behind it is not', async () => {
    const client = await connect(await start())
    client.send('PING\r\nQUIT\r\nPING\r\n')
    expect(await client.receiveAll()).toBe('+PONG\r\n+OK\r\n')
  })

  it('a protocol error is answered behind the replies before it, then the connection ends', async () => {
    const client = await connect(await start())
    client.send(`PING\r\n*1\r\n:4\r\n${'PING\r\n'.repeat(100_000)}`)
    expect(await client.receiveAll()).toBe("+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n")
  })

  it.each(['POST / HTTP/1.1\r\nHost: x\r\n\r\nDEL k\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\nDEL k\r\n'])(
    "ends a browser's %j before its body could be a command",
    async (request) => {
      const instance = await start()
      const client = await connect(instance)
      await client.ask('INCR k\r\n', 4)
      const browser = await connect(instance)
      browser.send(request)
      expect(await browser.receiveAll()).toBe('')
      expect(await client.ask('EXISTS k\r\n', 4)).toBe(':1\r\n')
    },
  )
})

describe('a password', () => {
  it.each([
    ['PING', '-NOAUTH Authentication required.\r\n'],
    ['GET k', '-NOAUTH Authentication required.\r\n'],
    ['CLIENT ID', '-NOAUTH Authentication required.\r\n'],
    ['FOO', "-ERR unknown command 'FOO', with args beginning with: \r\n"],
    ['GET', "-ERR wrong number of arguments for 'get' command\r\n"],
    ['RESET', '+RESET\r\n'],
    ['AUTH no', '-WRONGPASS invalid username-password pair or user is disabled.\r\n'],
    ['AUTH other secret', '-WRONGPASS invalid username-password pair or user is disabled.\r\n'],
    ['AUTH secret\r\nPING', '+OK\r\n+PONG\r\n'],
    ['AUTH default secret\r\nPING', '+OK\r\n+PONG\r\n'],
    [
      'AUTH secret\r\nAUTH no\r\nPING\r\nRESET\r\nPING',
      /^\+OK\r\n-WRONGPASS[^\r]*\r\n\+PONG\r\n\+RESET\r\n-NOAUTH/,
    ],
    ['AUTH secret\r\nINCR k\r\nINCR k\r\nRESET\r\nINCR k', /^\+OK\r\n:1\r\n:2\r\n\+RESET\r\n-NOAUTH/],
    ['HELLO 3', /^-NOAUTH HELLO must be called with the client already authenticated/],
    ['HELLO 3 AUTH default no\r\nPING', /^-WRONGPASS [^\r]*\r\n-NOAUTH/],
    ['HELLO 3 AUTH default secret\r\nPING', /^%7[\s\S]*\+PONG\r\n$/],
    ['*11', '-ERR Protocol error: unauthenticated multibulk length\r\n'],
    ['*1\r\n$16385', '-ERR Protocol error: unauthenticated bulk length\r\n'],
  ] satisfies [string, string | RegExp][])('%j', async (request, answer) => {
    const { port } = await start({ password: 'secret' })
    const got = (await converse(port, [`${request}\r\n`])).replace(/\+OK\r\n$/, '')
    if (typeof answer === 'string') expect(got).toBe(answer)
    else expect(got).toMatch(answer)
  })
})

describe('a command that waits for the store', () => {
  it('keeps the order of replies on its connection, and holds up no other one', async () => {
    const instance = await start()
    const [client, other] = [await connect(instance), await connect(instance)]
    await other.ask('INCR ready\r\n', 4)
    segments.hold()
    client.send('PING\r\nINCR slow\r\nPING\r\nGET ready\r\n')
    client.send('ECHO end\r\n')
    // What was answered before it does not wait.
    expect(await client.receive(7)).toBe('+PONG\r\n')
    expect(await other.ask('GET ready\r\n', 7)).toBe('$1\r\n2\r\n')
    segments.release()
    expect(await client.receive(27)).toBe(':1\r\n+PONG\r\n$1\r\n3\r\n$3\r\nend\r\n')
  })

  it('gets the error of a store that is down, and an id as soon as it is back', async () => {
    const client = await connect(await start())
    segments.down = true
    client.send('INCR k\r\nGET k\r\nSET k 5\r\nDEL k\r\nEXISTS k\r\nMGET k\r\nINCRBY k 5\r\nPING\r\nQUIT\r\n')
    expect(await client.receiveAll()).toBe(
      `${'-STORE_UNAVAILABLE the store does not answer\r\n'.repeat(7)}+PONG\r\n+OK\r\n`,
    )
    segments.down = false
    const { port } = instances[0] as RedisInstance
    await until(2_000, async () => (await converse(port, ['INCR k\r\n'])) === ':1\r\n+OK\r\n')
  })

  it('may be given up by its client', async () => {
    const instance = await start()
    const client = await connect(instance)
    segments.hold()
    client.send('PING\r\nINCR k\r\n')
    await client.receive(7)
    client.socket.resetAndDestroy()
    segments.release()
    const other = await connect(instance)
    expect(await other.ask('PING\r\n', 7)).toBe('+PONG\r\n')
  })
})

describe('limits', () => {
  it('tells connections above the limit, and takes one as soon as another ends', async () => {
    const instance = await start({ connectionsMax: 2 })
    const [first] = [await connect(instance), await connect(instance)]
    await first.ask('PING\r\n', 7)
    const third = await connect(instance)
    expect(await third.receiveAll()).toBe('-ERR max number of clients reached\r\n')
    first.close()
    await until(2_000, async () => (await converse(instance.port, ['PING\r\n'])) === '+PONG\r\n+OK\r\n')
  })

  it('ends a connection that says nothing', async () => {
    const client = await connect(await start({ idleMsMax: 50 }))
    expect(await client.receiveAll()).toBe('')
  })

  it('ends one that stops in the middle of a command', async () => {
    const client = await connect(await start({ idleMsMax: 50 }))
    client.send('*2\r\n$3\r\nGET\r\n$5\r\nor')
    expect(await client.receiveAll()).toBe('')
  })

  it('a client that pipelines and never reads is cut off, with memory flat', async () => {
    const outputBytesMax = 100_000
    const instance = await start({ outputBytesMax, unreadMsMax: 300 })
    const client = await connect(instance)
    await client.ask('SET k 0\r\n', 5)
    client.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const packet = 'GET k\r\n'.repeat(9_000)
    const closed = new Promise((resolve) => client.socket.on('close', resolve))
    let peak = 0
    // Only what the system takes is sent, so that this process keeps no packets of its own.
    const push = () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
      if (!client.socket.destroyed && client.socket.write(packet)) setImmediate(push)
    }
    client.socket.on('drain', push)
    push()
    await closed
    expect(peak - before).toBeLessThan(16 * 1024 * 1024)
    // The ids that were taken for it are bounded, too: what it did not read, and what the system keeps.
    const other = await connect(instance)
    const answer = await other.ask('INCR k\r\n', 3)
    expect(answer.startsWith(':')).toBe(true)
  })

  it('a client that reads late gets all its replies, in order', async () => {
    const instance = await start({ outputBytesMax: 10_000 })
    const client = await connect(instance)
    await client.ask('SET k 1000000\r\n', 5)
    client.socket.pause()
    for (let i = 0; i < 200; i++) client.send('GET k\r\n'.repeat(10_000))
    await until(5_000, () => client.socket.writableLength > 0)
    client.socket.resume()
    const answer = await client.receive(2_000_000 * 13)
    let expected = 1_000_001
    for (let at = 4; at < answer.length; at += 13) {
      const id = Number(answer.slice(at, at + 7))
      if (id < expected) expect(id).toBeGreaterThanOrEqual(expected)
      expected = id + 1
    }
    expect(expected).toBeGreaterThan(3_000_000)
  })

  it('answers MGET of more keys than a command may take ids for with an error', async () => {
    const client = await connect(await start({ requestIdsMax: 2 }))
    expect(await client.ask('MGET a b c\r\n', 31)).toBe('-ERR MGET takes 2 keys at most\r\n'.slice(0, 31))
  })
})

describe('draining', () => {
  it('ends idle connections at once, and others behind the reply that they wait for', async () => {
    const instance = await start()
    const [idle, busy] = [await connect(instance), await connect(instance)]
    await idle.ask('PING\r\n', 7)
    segments.hold()
    busy.send('PING\r\nINCR k\r\nPING\r\n')
    await busy.receive(7)
    const drained = instance.front.drain(5_000)
    expect(await idle.receiveAll()).toBe('')
    segments.release()
    expect(await busy.receiveAll()).toBe(':1\r\n')
    idle.close()
    busy.close()
    await drained
  })

  it('cuts what is left after the deadline', async () => {
    const instance = await start()
    const busy = await connect(instance)
    segments.hold()
    busy.send('PING\r\nINCR k\r\n')
    await busy.receive(7)
    await instance.front.drain(20)
    expect(await busy.receiveAll()).toBe('')
  })
})
