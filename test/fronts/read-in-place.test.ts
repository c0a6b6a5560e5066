import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Pieces, pushPieces, readInPieces, readInPlace } from '../../src/fronts/read-in-place.ts'
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

const upTo = (bytesMax: number): Pieces => ({
  bytesMax,
  admits: (bytes, length) => !bytes.subarray(0, length).includes('flood'),
  end: (_bytes, at, length) => Math.min(at + bytesMax, length),
})

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

  it('is by data events where a socket has no such buffer', () => {
    const socket = new Socket()
    const texts: string[] = []
    readInPlace(socket, (bytes, length) => texts.push(bytes.toString('latin1', 0, length)))
    socket.emit('data', Buffer.from('a'))
    expect(texts).toEqual(['a'])
    readInPieces(socket, upTo(2))
    socket.emit('data', Buffer.from('b'))
    expect(texts).toEqual(['a'])
  })
})

describe('reading in pieces', () => {
  it.each([
    { before: 'a socket that was read in place', isInPlace: true },
    { before: 'a new one', isInPlace: false },
  ])('gives what comes on $before in data events of a length at most', async ({ isInPlace }) => {
    const { accepted, client } = await pair()
    if (isInPlace) readInPlace(accepted, () => expect.unreachable())
    readInPieces(accepted, upTo(4))
    const chunks: string[] = []
    accepted.on('data', (chunk: Buffer) => chunks.push(String(chunk)))
    accepted.resume()
    client.write('123456789')
    await until(5_000, () => chunks.length === 3)
    client.write('ab')
    await until(5_000, () => chunks.length === 4)
    expect(chunks).toEqual(['1234', '5678', '9', 'ab'])
  })

  it('gives nothing between a pause and what ends it, and the rest in its order', async () => {
    const { accepted, client } = await pair()
    readInPieces(accepted, upTo(2))
    const chunks: string[] = []
    accepted.on('data', (chunk: Buffer) => {
      chunks.push(String(chunk))
      accepted.pause()
    })
    const end = once(accepted, 'end')
    accepted.resume()
    client.write('1234')
    await until(5_000, () => chunks.length === 1)
    await new Promise<void>((resolve) => client.end('5', resolve))
    expect(chunks).toEqual(['12'])
    accepted.resume()
    await until(5_000, () => chunks.length === 2)
    accepted.resume()
    await until(5_000, () => chunks.length === 3)
    expect(chunks).toEqual(['12', '34', '5'])
    accepted.resume()
    await end
  })

  it('gives nothing once the socket is destroyed', async () => {
    const { accepted, client } = await pair()
    readInPieces(accepted, upTo(2))
    const chunks: string[] = []
    accepted.on('data', (chunk: Buffer) => {
      chunks.push(String(chunk))
      accepted.destroy()
    })
    accepted.resume()
    client.write('1234')
    await once(accepted, 'close')
    expect(chunks).toEqual(['12'])
  })

  it('says whether to read on', async () => {
    const { accepted } = await pair()
    accepted.pause()
    const bytes = Buffer.alloc(accepted.readableHighWaterMark)
    expect(pushPieces(accepted, bytes, 10, upTo(2))).toBe(true)
    expect(pushPieces(accepted, bytes, bytes.length, upTo(2_048))).toBe(false)
  })

  it.each([true, false])(
    'destroys a socket on which more comes than is admitted (in place: %s)',
    async (isInPlace) => {
      const { accepted, client } = await pair()
      if (isInPlace) readInPieces(accepted, upTo(4))
      const chunks: string[] = []
      accepted.on('data', (chunk: Buffer) => chunks.push(String(chunk)))
      accepted.resume()
      if (isInPlace) client.write('1234flood')
      else pushPieces(accepted, Buffer.from('1234flood'), 9, upTo(4))
      await once(accepted, 'close')
      expect(chunks).toEqual([])
    },
  )
})
