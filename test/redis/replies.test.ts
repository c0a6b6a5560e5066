import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { Replies } from '../../src/fronts/redis/replies.ts'

let replies: Replies
let sent: string[]

beforeEach(() => {
  replies = new Replies(64)
  sent = []
})

/** Writes and posts what a connection of this name has to say. One that keeps views keeps what it is given. */
function post(name: string, text: string, kept?: Buffer[]): void {
  replies.output.text(text)
  replies.post({
    send(bytes) {
      sent.push(`${name}: ${bytes}`)
      kept?.push(bytes)
      return kept === undefined
    },
  })
}

/** A turn in which four connections are answered. */
async function busyTurn(): Promise<void> {
  for (const name of ['a', 'b', 'c', 'd']) post(name, '0')
  await turn()
  sent.length = 0
}

describe('replies', () => {
  it('are sent at once while few connections are answered in a turn', async () => {
    for (let i = 0; i < 3; i++) {
      post('a', '1')
      expect(sent).toEqual(['a: 1'])
      post('b', '2')
      post('a', '3')
      expect(sent).toEqual(['a: 1', 'b: 2', 'a: 3'])
      sent.length = 0
      await turn()
    }
  })

  it('are sent at the end of a turn behind a busy one, to each connection its own, in their order', async () => {
    await busyTurn()
    post('a', '1')
    post('b', '2')
    post('a', '3')
    expect(sent).toEqual([])
    await turn()
    expect(sent).toEqual(['a: 1', 'b: 2', 'a: 3'])
    post('b', '4')
    expect(sent).toEqual(['a: 1', 'b: 2', 'a: 3', 'b: 4'])
  })

  it('are sent when asked to, once', async () => {
    await busyTurn()
    post('a', '1')
    replies.flush()
    expect(sent).toEqual(['a: 1'])
    post('b', '2')
    await turn()
    expect(sent).toEqual(['a: 1', 'b: 2'])
  })

  it('I9: are sent before the end of a turn once they fill the memory', async () => {
    await busyTurn()
    post('a', 'x'.repeat(63))
    expect(sent).toEqual([])
    post('b', 'y')
    expect(sent).toEqual([`a: ${'x'.repeat(63)}`, 'b: y'])
  })

  it('are nothing where nothing was written', async () => {
    post('a', '')
    await turn()
    expect(sent).toEqual([])
  })

  it('I9: are in the same memory as those before, unless a wire holds these', () => {
    const [first, second, third] = [true, false, true].map((isFree) => {
      let memory: [ArrayBufferLike, number] | undefined
      replies.output.text('1')
      replies.post({
        send({ buffer, byteOffset }) {
          memory = [buffer, byteOffset]
          return isFree
        },
      })
      return memory
    })
    expect(second?.[0]).toBe(first?.[0])
    expect(third?.[0]).not.toBe(second?.[0])
    expect([first, second, third].map((memory) => memory?.[1])).toEqual([0, 0, 0])
  })

  it('are not written over while a wire holds them', async () => {
    await busyTurn()
    const kept: Buffer[] = []
    post('a', '1', kept)
    post('b', '2')
    await turn()
    post('c', '345')
    await turn()
    expect(kept.map(String)).toEqual(['1'])
  })
})
