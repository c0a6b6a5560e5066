import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readInPlace } from '../../src/fronts/read-in-place.ts'
import { until } from '../support/until.ts'

/** A socket that a server has accepted, and its client. */
async function pair(): Promise<{ accepted: Socket; client: Socket }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    client.destroy()
    accepted.destroy()
    server.close()
  })
  return { accepted, client }
}

describe('reading in place', () => {
  it('gives what comes on all sockets in one buffer', async () => {
    const reads: { bytes: Buffer; text: string }[] = []
    for (const text of ['first', 'second']) {
      const { accepted, client } = await pair()
      readInPlace(accepted, (bytes, length) =>
        reads.push({ bytes, text: bytes.toString('latin1', 0, length) }),
      )
      accepted.resume()
      client.write(text)
      await until(5_000, () => reads.at(-1)?.text === text)
    }
    expect(reads.map(({ text }) => text)).toEqual(['first', 'second'])
    expect(reads[0]?.bytes).toBe(reads[1]?.bytes)
  })

  it('gives nothing while the socket is paused, and the end as ever', async () => {
    const { accepted, client } = await pair()
    let text = ''
    readInPlace(accepted, (bytes, length) => {
      text += bytes.toString('latin1', 0, length)
      accepted.pause()
    })
    accepted.resume()
    client.write('a')
    await until(5_000, () => text === 'a')
    await new Promise<void>((resolve) => client.end('b', resolve))
    expect(text).toBe('a')
    accepted.resume()
    await until(5_000, () => text === 'ab')
    accepted.resume()
    await once(accepted, 'end')
  })

  it('ends, and what comes then are data events with bytes of their own', async () => {
    const { accepted, client } = await pair()
    const stop = readInPlace(accepted, () => expect.unreachable())
    stop()
    accepted.resume()
    const chunks: Buffer[] = []
    accepted.on('data', (chunk: Buffer) => chunks.push(chunk))
    client.write('a')
    await until(5_000, () => chunks.length === 1)
    client.write('b')
    await until(5_000, () => chunks.length === 2)
    expect(chunks.map(String)).toEqual(['a', 'b'])
  })

  it('is by data events where a socket has no such buffer', () => {
    const socket = new Socket()
    const texts: string[] = []
    const stop = readInPlace(socket, (bytes, length) => texts.push(bytes.toString('latin1', 0, length)))
    socket.emit('data', Buffer.from('a'))
    stop()
    socket.emit('data', Buffer.from('b'))
    expect(texts).toEqual(['a'])
  })
})
