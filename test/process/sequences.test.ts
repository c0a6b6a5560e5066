import { describe, expect, it, onTestFinished } from 'vitest'
import { createDatabase, MysqlServer, query, type TestDatabase } from '../support/mysql-server.ts'
import { seededRandom } from '../support/random.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { until } from '../support/until.ts'
import { seqsvr } from './command.ts'
import { database, start } from './for-a-test.ts'

const SEED = Number(process.env.SEQSVR_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const INSTANCES = 4
const TAGS = Array.from({ length: 20 }, (_, i) => `tag-${i}`)
const KILLS = 8

/** How long the store is out: longer than a deadline, a pause between attempts or an idle connection lasts. */
const OUTAGE_MS = 30_000

/** The ids of one answer of /alloc with format=text, or none where it failed. */
async function alloc({ url }: SeqsvrProcess, tag: string, count: number): Promise<string[]> {
  return idsOf(`${url}/alloc?app_tag=${tag}&format=text&count=${count}`)
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

describe('named sequences of a fleet', () => {
  it(`I1: ${INSTANCES} instances, ${TAGS.length} tags, single ids and counts, kill -9 in between (seed ${SEED}): no id of a tag twice`, async () => {
    const random = seededRandom(SEED)
    const made = await database()
    const instances = [await start(mysqlEnv(made))]
    for (const [i, tag] of TAGS.entries())
      await query(made, 'INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)', [
        tag,
        i * 10,
        1 + i * 7,
      ])
    while (instances.length < INSTANCES) instances.push(await start(mysqlEnv(made)))

    const taken = new Map<string, string[]>(TAGS.map((tag) => [tag, []]))
    let stopping = false
    const client = async (instance: SeqsvrProcess) => {
      while (!stopping) {
        const tag = TAGS[Math.floor(random() * TAGS.length)] as string
        const count = random() < 0.5 ? 1 : 1 + Math.floor(random() * 40)
        taken.get(tag)?.push(...(await alloc(instance, tag, count)))
      }
    }
    const clients = instances.flatMap((instance) => [client(instance), client(instance)])
    const total = () => [...taken.values()].reduce((sum, ids) => sum + ids.length, 0)
    for (let i = 0; i < KILLS; i++) {
      const before = total()
      await until(20_000, () => total() > before + 2_000)
      const victim = instances[Math.floor(random() * INSTANCES)] as SeqsvrProcess
      await victim.kill()
      await victim.restart()
    }
    stopping = true
    await Promise.all(clients)
    for (const [tag, ids] of taken) expect(duplicates(ids), tag).toEqual([])
    expect([...taken.values()].every((ids) => ids.length > 100)).toBe(true)
  }, 120_000)

  it('I1: beside an older server on the same row, which moves max_id by a step and then reads it', async () => {
    const made = await database()
    const instance = await start(mysqlEnv(made))
    await query(made, "INSERT INTO segments (app_tag, max_id, step) VALUES ('orders', 0, 10)")
    const older = async () => {
      const ids: string[] = []
      for (let i = 0; i < 100; i++) {
        const [, , rows] = (await queryAll(made, [
          'START TRANSACTION',
          "UPDATE segments SET max_id = max_id + step WHERE app_tag = 'orders'",
          "SELECT max_id, step FROM segments WHERE app_tag = 'orders'",
          'COMMIT',
        ])) as [unknown, unknown, [{ max_id: string; step: string }]]
        const end = Number(rows[0].max_id)
        for (let id = end - Number(rows[0].step); id < end; id++) if (id > 0) ids.push(String(id))
      }
      return ids
    }
    const ours = async () => {
      const ids: string[] = []
      for (let i = 0; i < 300; i++) ids.push(...(await alloc(instance, 'orders', 7)))
      return ids
    }
    const ids = (await Promise.all([older(), ours(), ours()])).flat()
    expect(ids.length).toBeGreaterThan(4_000)
    expect(duplicates(ids)).toEqual([])
  })
})

describe('a store that is out', () => {
  it('tags with held ids go on, the others fail fast with a clear message, all recover without a restart', async () => {
    const server = await MysqlServer.start()
    onTestFinished(() => server.stop())
    const made = await createDatabase(server.login)
    const instance = await start(mysqlEnv(made))
    for (const tag of ['held', 'new'])
      await query(made, `INSERT INTO segments (app_tag, max_id, step) VALUES ('${tag}', 1, 100000)`)
    expect(await alloc(instance, 'held', 1)).toEqual(['1'])
    await server.kill('SIGKILL')
    expect(await alloc(instance, 'held', 3)).toEqual(['2', '3', '4'])
    await until(5_000, async () => {
      const startedMs = performance.now()
      const answer = await fetch(`${instance.url}/alloc?app_tag=new`)
      return answer.headers.get('seqsvr-error') === 'STORE_UNAVAILABLE' && performance.now() - startedMs < 500
    })
    let next = 5
    for (const untilMs = performance.now() + OUTAGE_MS; performance.now() < untilMs; next++) {
      expect(await alloc(instance, 'held', 1)).toEqual([String(next)])
      const refused = await fetch(`${instance.url}/alloc?app_tag=new`)
      expect([refused.status, refused.headers.get('seqsvr-error')]).toEqual([500, 'STORE_UNAVAILABLE'])
    }
    await server.restart()
    await until(1_500, async () => (await alloc(instance, 'new', 1)).length === 1)
    expect(await alloc(instance, 'held', 1)).toEqual([String(next)])
  }, 90_000)
})

describe('I3: a database that was restored', () => {
  const takes = {
    generator: ({ url }: SeqsvrProcess, count: number) => idsOf(`${url}/new?format=text&count=${count}`),
    'named sequence': (instance: SeqsvrProcess, count: number) => alloc(instance, 'orders', count),
  }

  it.each(Object.entries(takes))(
    'the %s stops on every instance, whichever notices, also after a kill -9 at once, until the operator advances',
    async (_name, take) => {
      const made = await database()
      const env = mysqlEnv(made)
      const [first, second] = [await start(env), await start(env)]
      await query(made, "INSERT INTO segments (app_tag, max_id, step) VALUES ('orders', 1, 1000)")
      const served = [...(await take(first, 10)), ...(await take(second, 10))]
      await query(made, 'CREATE TABLE old_generator AS SELECT * FROM generator_table')
      await query(made, 'CREATE TABLE old_segments AS SELECT * FROM segments')
      // The one that will notice has seen less than the other.
      for (let i = 0; i < 4; i++) served.push(...(await take(first, 2000)), ...(await take(second, 5000)))

      await query(made, 'TRUNCATE generator_table')
      await query(made, 'INSERT INTO generator_table SELECT * FROM old_generator')
      await query(
        made,
        'UPDATE segments JOIN old_segments USING (app_tag) SET segments.max_id = old_segments.max_id',
      )
      const refused = async (instance: SeqsvrProcess) => {
        const ids = await take(instance, 2000)
        served.push(...ids)
        return ids.length === 0
      }
      await until(20_000, () => refused(first))
      await first.kill()
      const fresh = await SeqsvrProcess.startUnready(env)
      onTestFinished(() => fresh.kill())
      await until(10_000, async () => (await fetch(`${fresh.url}/livez`).catch(() => undefined))?.ok === true)
      for (let i = 0; i < 5; i++) expect(await take(fresh, 100)).toEqual([])
      await until(20_000, () => refused(second))
      expect((await fetch(`${second.url}/readyz`)).status).toBe(503)
      expect(duplicates(served)).toEqual([])

      expect((await seqsvr(['sequence', 'advance', '--all', '--by', '1000'], env)).code).toBe(0)
      for (const instance of [fresh, second]) {
        await until(10_000, async () => {
          const ids = await take(instance, 500)
          served.push(...ids)
          return ids.length === 500
        })
      }
      expect(duplicates(served)).toEqual([])
    },
    90_000,
  )
})

async function idsOf(url: string): Promise<string[]> {
  const answer = await fetch(url).catch(() => undefined)
  return answer?.ok === true ? (await answer.text()).trim().split('\n') : []
}

/** Several statements on one connection. */
async function queryAll(login: TestDatabase, statements: readonly string[]): Promise<unknown[]> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({ ...login, supportBigNumbers: true, bigNumberStrings: true })
  try {
    const results: unknown[] = []
    for (const statement of statements) results.push((await connection.query(statement))[0])
    return results
  } finally {
    await connection.end()
  }
}
