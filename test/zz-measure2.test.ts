import { it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { mysqlFixture } from './store/mysql-fixture.ts'
import { Session } from '../src/store/mysql/session.ts'
async function go(name: string, n: number, k: number, body: (s: Session, st: any, k: number) => Promise<void>) {
    const f = await mysqlFixture(); await f.store.prepare()
    let dead = 0, ok = 0; const ms: number[] = []
    const end = performance.now() + 3000
    await Promise.all(Array.from({length: n}, async () => { const s = new Session({...f.database, tls: false}); await s.open(); const st = { uuid: randomUUID(), serial: 0, own: undefined, next: undefined as any }
      while (performance.now() < end) { const t = performance.now(); try { await s.run('START TRANSACTION'); await s.rows('SELECT MAX(id) FROM generator_table'); await body(s, st, k); await s.run('COMMIT'); st.own = st.next; ok++; ms.push(performance.now()-t) } catch (e: any) { dead++; if (e.errno !== 1213) console.log('inst', e.message); await s.run('ROLLBACK'); await new Promise(r => setTimeout(r, Math.random() * 8)) } }
      await s.quit() }))
    ms.sort((a, b) => a - b)
    console.log('inst', name, n, 'k', k, 'ok', ok, 'dead', dead, 'p50', ms[ms.length>>1]!.toFixed(2), 'p99', ms[Math.floor(ms.length*.99)]!.toFixed(2), 'max', ms.at(-1)!.toFixed(0), (await f.sql('select count(*) c from generator_table'))[0])
    await f.close()
}
const multi = async (s: Session, st: any, k: number) => { 
  const uuids = Array.from({length: k}, () => st.uuid.slice(0, 24) + (st.serial++).toString(16).padStart(12, '0'))
  await s.run('INSERT INTO generator_table (uuid) VALUES ' + uuids.map(() => '(?)').join(), uuids)
  const ids = (await s.rows(`SELECT id FROM generator_table WHERE uuid IN (${uuids.map(() => '?').join()}) ORDER BY id`, uuids)).map(r => r['id'])
  if (ids.length !== k) throw new Error('k')
  st.next = ids.pop()
  if (st.own) ids.unshift(st.own)
  for (const id of ids) await s.run('DELETE FROM generator_table WHERE id = ?', [id])
}
it('measure', async () => {
  for (const n of [1, 3, 8, 16]) for (const k of [1, 10, 128]) { await go('multi', n, k, multi) }
}, 120000)
