import { describe, expect, it } from 'vitest'
import { seededRandom } from '../support/random.ts'
import { conversation, cut, damaged } from './fuzz.ts'
import { MemorySegments } from './memory-segments.ts'
import { MemoryWire } from './memory-wire.ts'
import { parseReplies } from './resp-parser.ts'

/*
 * A longer run: SEQSVR_TEST_FUZZ_STREAMS=10000000 npx vitest run test/redis/fuzz.test.ts
 * The same run again: SEQSVR_TEST_FUZZ_SEED=<the seed that it printed>
 */
const STREAMS = Number(process.env.SEQSVR_TEST_FUZZ_STREAMS ?? 100_000)
const SEED = Number(process.env.SEQSVR_TEST_FUZZ_SEED ?? Date.now() % 2 ** 31)

async function answerTo(packets: readonly Buffer[]): Promise<string> {
  const wire = new MemoryWire(new MemorySegments())
  const answer = await wire.answer(packets)
  await wire.stop()
  return answer
}

describe('the Redis front under a rain of bytes', () => {
  it(
    `survives ${STREAMS} streams, whole or damaged, in one packet and in many (seed ${SEED})`,
    async () => {
      console.log(`SEQSVR_TEST_FUZZ_SEED=${SEED}`)
      const random = seededRandom(SEED)
      const startBytes = process.memoryUsage().rss
      for (let stream = 0; stream < STREAMS; stream += 2) {
        const { bytes: sound, commands } = conversation(random)
        let bytes = sound
        const damages = Math.floor(random() * 3)
        for (let i = 0; i < damages; i++) bytes = damaged(bytes, random)

        const whole = await answerTo([bytes])
        const inPieces = await answerTo(cut(bytes, random))
        if (inPieces !== whole)
          expect([bytes.toString('latin1'), inPieces]).toEqual([bytes.toString('latin1'), whole])

        const replies = parseReplies(whole)
        const errors = replies.filter((reply) => String(reply).startsWith('-ERR Protocol error'))
        if (errors.length > 1 || (errors.length === 1 && errors[0] !== replies.at(-1)))
          expect([bytes.toString('latin1'), replies]).toBe('one protocol error at the end')
        if (damages === 0) {
          const marks = replies.filter((_, i) => i % 2 === 1)
          const expected = Array.from({ length: commands }, (_, i) => `$mark${i}`)
          if (marks.join() !== expected.join())
            expect([bytes.toString('latin1'), marks]).toEqual([bytes.toString('latin1'), expected])
        }
      }
      expect(process.memoryUsage().rss - startBytes).toBeLessThan(256 * 1024 * 1024)
    },
    Math.max(300_000, STREAMS * 3),
  )

  it('answers a packet of many commands in one write', async () => {
    const wire = new MemoryWire(new MemorySegments())
    await wire.answer([Buffer.from('INCR k\r\n')])
    await wire.answer([Buffer.from(`${'GET k\r\n'.repeat(400)}PING\r\n${'GET k\r\n'.repeat(400)}ECHO x\r\n`)])
    expect(wire.writes).toHaveLength(2)
    expect(parseReplies(wire.writes[1] as string)).toHaveLength(802)
    await wire.stop()
  })
})
