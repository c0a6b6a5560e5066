import { describe, expect, it } from 'vitest'
import { HttpLoad } from '../support/http-load.ts'
import { query } from '../support/mysql-server.ts'
import { mysqlEnv, type SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { seqsvr } from './command.ts'
import { database, start } from './for-a-test.ts'

const TOKEN = 'a-token-of-the-tests'

/** The name that an instance gave itself, as its log has it. */
function uuidOf({ output }: SeqsvrProcess): string {
  return /"instance":"([0-9a-f-]{36})"/.exec(output)?.[1] ?? 'no instance'
}

describe('seqsvr whois and verify', () => {
  it('tell which instance of a fleet has each id that was served, and that none was leased twice, after kill -9 of each', async () => {
    const env = mysqlEnv(await database())
    const instances = await Promise.all([start(env), start(env)])
    const served = new Map<string, string>()
    const loads = instances.map(({ url }) => new HttpLoad(`${url}/new`, 4))
    const names = instances.map(uuidOf)
    await until(20_000, () => loads.every(({ ids }) => ids.length > 2_000))
    for (const instance of instances) await instance.kill()
    await Promise.all(loads.map((load) => load.stop()))
    for (const [i, { ids }] of loads.entries()) for (const id of ids) served.set(id, names[i] as string)

    for (const { ids } of loads)
      for (const id of [ids[0], ids[1_000], ids.at(-1)] as string[]) {
        const { code, stdout } = await seqsvr(['whois', id], env)
        expect([code, stdout]).toEqual([
          0,
          expect.stringMatching(
            new RegExp(
              `^${id} of the generator was leased to instance ${served.get(id)} at 20\\d\\d-\\d\\d-\\d\\dT[\\d:.]{12}Z, with the ids from \\d+ to \\d+\n$`,
            ),
          ),
        ])
      }
    const { code, stdout } = await seqsvr(['verify'], env)
    expect(stdout).toMatch(
      /^ok: the generator: leases: \d+ \(\d+ ids from 100 to \d+\), overlaps: 0, gaps: \d+ /m,
    )
    expect(stdout).toMatch(/^ok: sequences: 1, leases: \d+ \(\d+ ids\), overlaps: 0, gaps: \d+$/m)
    expect(code).toBe(0)
  }, 60_000)

  it('say that nothing is known, and of what, with exit code 1', async () => {
    const env = { SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` }
    await seqsvr(['sequence', 'create', 'orders'], env)
    expect(await seqsvr(['whois', '12345', '--sequence', 'orders'], env)).toEqual({
      code: 1,
      stdout:
        'nothing is known of 12345 of "orders": it was never leased, or longer than 30 days ago, or by a program that keeps no record\n',
      stderr: '',
    })
    expect((await seqsvr(['whois', '12a'], env)).code).toBe(2)
    expect(await seqsvr(['whois', '9223372036854775808'], env)).toMatchObject({
      code: 1,
      stderr: 'seqsvr: BAD_REQUEST: id must be a whole number from 0 to 9223372036854775807\n',
    })
    for (const command of [['whois', '1'], ['verify']])
      expect(await seqsvr([...command, '--provenance-days', '0'], env)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'seqsvr: BAD_REQUEST: leases are not on record: provenance.days is 0\n',
      })
  })

  it('I1: verify finds an overlap, a gap and a table that went back, and exits with 1', async () => {
    const made = await database()
    const env = mysqlEnv(made)
    await seqsvr(['sequence', 'create', 'orders', '--start', '500'], env)
    const put = (sequence: string, from: number, to: number, instance: string) =>
      query(made, 'INSERT INTO seqsvr_leases VALUES (?, ?, ?, ?, 1763700000150)', [
        sequence,
        from,
        to,
        instance,
      ])
    await put('orders', 1, 101, 'one')
    await put('orders', 151, 251, 'two')
    const well = await seqsvr(['verify'], env)
    expect(well).toEqual({
      code: 0,
      stdout:
        'gap: "orders": no lease on record has 101 to 150 (50 ids)\n' +
        'ok: "orders": leases: 2 (200 ids from 1 to 250), overlaps: 0, gaps: 1 (50 ids); it goes on from 500\n' +
        'ok: sequences: 1, leases: 2 (200 ids), overlaps: 0, gaps: 1\n',
      stderr: '',
    })

    await put('orders', 250, 300, 'three')
    const overlapping = await seqsvr(['verify'], env)
    expect(overlapping.code).toBe(1)
    expect(overlapping.stdout).toContain(
      'overlap: "orders": 151 to 250 to instance two at 2025-11-21T04:40:00.150Z, and 250 to 299 to instance three at 2025-11-21T04:40:00.150Z\n' +
        'failed: "orders": leases: 3 (250 ids from 1 to 299), overlaps: 1, gaps: 1 (50 ids); it goes on from 500\n' +
        'failed: sequences: 1, leases: 3 (250 ids), overlaps: 1, gaps: 1\n',
    )

    await query(made, "DELETE FROM seqsvr_leases WHERE instance = 'three'")
    await query(made, 'UPDATE segments SET max_id = 250')
    const behind = await seqsvr(['verify'], env)
    expect(behind.code).toBe(1)
    expect(behind.stdout).toContain(
      'danger: "orders" would go on from 250 although it leased ids up to 250: its table went back.',
    )
  })

  it('the admin API tells whom an id was leased to', async () => {
    const instance = await start({
      SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite`,
      SEQSVR_ADMIN_TOKEN: TOKEN,
    })
    await fetch(`${instance.url}/new`)
    const ask = async (query: string) => {
      const answer = await fetch(`${instance.url}/admin/whois?${query}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      })
      return [answer.status, await answer.json()]
    }
    expect(await ask('id=100')).toEqual([
      200,
      {
        code: 0,
        msg: 'ok',
        data: {
          id: '100',
          sequence: null,
          lease: {
            start: '100',
            end: expect.stringMatching(/^\d+$/),
            instance: uuidOf(instance),
            leased_at: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]{12}Z$/),
          },
        },
      },
    ])
    expect(await ask('id=9223372036854775807&sequence=orders')).toEqual([
      200,
      { code: 0, msg: 'ok', data: { id: '9223372036854775807', sequence: 'orders', lease: null } },
    ])
    for (const query of ['', 'id=x', 'id=9223372036854775808', 'id=1&sequence='])
      expect(await ask(query)).toEqual([
        400,
        { code: -1, msg: expect.stringMatching(/^BAD_REQUEST: /), data: null },
      ])
    expect((await fetch(`${instance.url}/admin/whois?id=100`)).status).toBe(401)
  })
})
