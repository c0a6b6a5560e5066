import { it } from 'vitest'
import { mysqlFixture } from './store/mysql-fixture.ts'
import { Session } from '../src/store/mysql/session.ts'
it('measure', async () => {
  const counts: Record<string, number> = {}
  const orig = Session.prototype.run
  Session.prototype.run = async function (this: Session, ...a: any) {
    try { return await (orig as any).apply(this, a) } catch (e: any) { counts[e.errno ?? e.code] = (counts[e.errno ?? e.code] ?? 0) + 1; throw e }
  } as any
  for (const [n, ids] of [[1,100],[1,1000],[1,12800],[3,100],[3,1000],[8,100],[8,1000],[16,300]] as const) {
    const f = await mysqlFixture()
    const stores = [f.store]; for (let i = 1; i < n; i++) stores.push(await f.another())
    await Promise.all(stores.map(s => s.generator.lease(1)))
    for (const k in counts) delete counts[k]
    const ms: number[] = []; let errors: Record<string, number> = {}
    const end = performance.now() + 3000
    await Promise.all(stores.map(async s => { while (performance.now() < end) { const t = performance.now(); try { await s.generator.lease(ids); ms.push(performance.now() - t) } catch (e: any) { errors[e.message.slice(0,120)] = (errors[e.message.slice(0,120)] ?? 0) + 1 } } }))
    ms.sort((a, b) => a - b)
    console.log(n, 'inst', ids, 'ids', ms.length, 'leases', 'p50', ms[ms.length >> 1]!.toFixed(2), 'p99', ms[Math.floor(ms.length * .99)]!.toFixed(2), 'max', ms.at(-1)!.toFixed(1), JSON.stringify(counts), JSON.stringify(errors))
    await f.close()
  }
}, 120000)
