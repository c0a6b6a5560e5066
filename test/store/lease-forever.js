// An instance in a process of its own: leases from the file that it is told, and prints each grant when it has it.
import { SqliteStore } from '../../dist/store/sqlite/store.js'

const [file, uuid, times] = process.argv.slice(2)
const store = new SqliteStore({
  file,
  schema: 'auto',
  agreement: { step: 10, first: 0 },
  uuid,
  provenance: true,
  timeoutMs: 20_000,
})
for (let i = 0; i < Number(times); i++) {
  for (const { start, end } of await store.generator.lease(1 + (i % 3) * 10))
    process.stdout.write(`${start} ${end}\n`)
}
await store.close()
