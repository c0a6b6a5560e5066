import { it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { mysqlFixture } from './store/mysql-fixture.ts'
import { Session } from '../src/store/mysql/session.ts'
it('frozen', async () => {
  for (const warm of [false, true]) {
  const f = await mysqlFixture({timeoutMs: 3000})
  const uuids = Array.from({length: 8}, () => randomUUID()).sort()
  const stores = uuids.map(uuid => f.open({uuid}))
  for (const s of stores) await s.generator.lease(1)
  if (warm) for (let i = 0; i < 20; i++) for (const s of stores) await s.generator.lease(1)
  await new Promise(r => setTimeout(r, 500))
  const s = new Session({...f.database, tls: false}); await s.open()
  await s.run('START TRANSACTION'); await s.run('REPLACE INTO generator_table (uuid) VALUES (?)', [uuids[4]!])
  const r = await Promise.all(stores.map(async (st, i) => { if (i === 4) return 'frozen'; const t = performance.now(); try { await st.generator.lease(1); return (performance.now() - t).toFixed(0) } catch (e: any) { return e.message.slice(-60) } }))
  console.log('inst', warm, r)
  const r2 = await Promise.all(stores.map(async (st, i) => { if (i === 4) return 'frozen'; const t = performance.now(); try { await st.generator.lease(1); return (performance.now() - t).toFixed(0) } catch (e: any) { return e.message.slice(-60) } }))
  console.log('inst', warm, r2)
  const t = performance.now(); const fresh = await Promise.all(Array.from({length: 10}, () => f.open().generator.lease(1).then(() => 'ok', e => e.code)))
  console.log('inst new', fresh, performance.now() - t)
  await s.quit(); await f.close() }
}, 120000)
