// An instance in a process of its own: asks for ids of ten pairs of rule and app_name until it is killed, and prints each.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RuleClock } from '../../dist/rules/rule-clock.js'
import { Rules } from '../../dist/rules/rules.js'
import { TimeZone } from '../../dist/rules/time-zone.js'
import { MysqlStore } from '../../dist/store/mysql/store.js'
import { systemClock } from '../../dist/system-clock.js'

const { login, configs } = JSON.parse(process.argv[2])
const store = new MysqlStore({
  ...login,
  tls: false,
  connectTimeoutMs: 2_000,
  timeoutMs: 5_000,
  connectionsMax: 4,
  schema: 'auto',
  agreement: { step: 100, first: 0 },
  uuid: randomUUID(),
  provenance: true,
  random: Math.random,
})
const rules = new Rules({
  store: store.counters,
  zone: new TimeZone('UTC'),
  time: new RuleClock(Date.now, () => performance.now()),
  clock: systemClock,
  random: Math.random,
  idStep: 1,
  idOffset: 0,
  countersMax: 100,
  observer: () => () => {},
})
await store.prepare()
await rules.load(configs)

async function askForever(rule, app) {
  for (;;) {
    // Not as fast as it can: the machine is to be shared by all.
    await delay(5)
    try {
      process.stdout.write(`${rule}/${app}/${await rules.create(rule, app, '')}\n`)
    } catch (error) {
      process.stderr.write(`${error.message}\n`)
    }
  }
}
for (const { name } of configs) for (const app of ['a', 'b', 'c', 'd', 'e']) void askForever(name, app)
