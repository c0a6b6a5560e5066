import { expect, it } from 'vitest'
import { CommitCutter } from '../../chaos/commit-cutter.ts'
import { StatementReader } from '../../chaos/mysql-statements.ts'

/** A packet as the protocol has it: 3 bytes of length, its number, the payload. */
function packet(number: number, payload: string): Buffer {
  return Buffer.from([payload.length, 0, 0, number, ...Buffer.from(payload, 'latin1')])
}

const statement = (sql: string) => packet(0, `\x03${sql}`)
const OK = Buffer.from([7, 0, 0, 1, 0x00, 0, 0, 2, 0, 0, 0])
const ERROR = Buffer.from([3, 0, 0, 1, 0xff, 0x15, 0x04])

it('reads statements out of a login and whatever chunks, of MySQL 8 clients too', () => {
  const bytes = Buffer.concat([
    packet(1, 'login that says COMMIT'),
    statement('START TRANSACTION'),
    packet(0, '\x03\x00\x01COMMIT'),
    packet(0, '\x01'),
    Buffer.from([0x07, 0x00, 0x00, 0x00, 0x03, 0x43, 0x4f, 0x4d, 0x4d, 0x49, 0x54]),
  ])
  const expected = ['START TRANSACTION', 'COMMIT', 'COMMIT']
  expect(new StatementReader().read(bytes)).toEqual(expected)
  const reader = new StatementReader()
  expect([...bytes].flatMap((byte) => reader.read(Buffer.from([byte])))).toEqual(expected)
})

it('cuts at the COMMIT of a lease alone, before it or after the server said OK', () => {
  const cutter = new CommitCutter()
  const points = ['before', 'after', 'after', undefined] as const
  let asked = 0
  cutter.decide = () => points[asked++]
  const lookUp = cutter.inspector()
  for (const sql of ['START TRANSACTION', 'SELECT 1', 'COMMIT'])
    expect(lookUp.cutsRequest(statement(sql))).toBe(false)
  expect(asked).toBe(0)

  const leases = points.map(() => {
    const inspector = cutter.inspector()
    const sqls = ['START TRANSACTION', 'SELECT 1', 'REPLACE INTO t VALUES (1)', 'COMMIT']
    const cuts = sqls.map((sql) => inspector.cutsRequest(statement(sql)))
    return { inspector, cuts }
  })
  expect(leases.map(({ cuts }) => cuts.indexOf(true))).toEqual([3, -1, -1, -1])
  expect(leases[1]?.inspector.cutsAnswer(OK)).toBe(true)
  expect(leases[2]?.inspector.cutsAnswer(ERROR)).toBe(true)
  expect(leases[3]?.inspector.cutsAnswer(OK)).toBe(false)
  expect(cutter.counts).toEqual({ passed: 2, before: 1, after: 1 })
})
