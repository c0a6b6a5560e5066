import { SequenceError } from '../../core/errors.ts'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import { type Ask, rowsOf } from './inspection-questions.ts'

/** What is looked at of the rights of the user. */
export const rightFindings = {
  rights: {
    severities: ['failed'],
    why: 'an instance reads and writes its tables as this user, and makes them with schema: auto',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(rightFindings)

/** They need the rights of what they explain, and do nothing. */
const EXPLANATIONS: Readonly<Record<string, readonly string[]>> = {
  seqsvr_leases: [
    'EXPLAIN SELECT end_id FROM seqsvr_leases',
    "EXPLAIN INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES ('', 0, 0, '', 0)",
    "EXPLAIN DELETE FROM seqsvr_leases WHERE sequence = ''",
  ],
  generator_table: [
    'EXPLAIN SELECT MAX(id) FROM generator_table',
    "EXPLAIN INSERT INTO generator_table (uuid) VALUES ('')",
    'EXPLAIN DELETE FROM generator_table WHERE id = 0',
  ],
  segments: [
    'EXPLAIN SELECT max_id FROM segments',
    "EXPLAIN INSERT INTO segments (app_tag, max_id, step) VALUES ('', 0, 0)",
    "EXPLAIN UPDATE segments SET max_id = 0 WHERE app_tag = ''",
    "EXPLAIN DELETE FROM segments WHERE app_tag = ''",
  ],
  counter: [
    'EXPLAIN SELECT counter FROM counter',
    'EXPLAIN INSERT INTO counter (counter) VALUES (0)',
    'EXPLAIN UPDATE counter SET counter = 0 WHERE node_offset = 0',
  ],
  seqsvr_meta: [
    'EXPLAIN SELECT value FROM seqsvr_meta',
    "EXPLAIN INSERT INTO seqsvr_meta (name, value) VALUES ('', 0)",
    "EXPLAIN UPDATE seqsvr_meta SET value = 0 WHERE name = ''",
    "EXPLAIN DELETE FROM seqsvr_meta WHERE name = ''",
  ],
}

/** Whether the user may do what an instance does to the tables that exist, and make the ones that it will make. */
export async function inspectRights(
  ask: Ask,
  tables: ReadonlySet<string>,
  missing: readonly string[],
): Promise<Finding> {
  const refusals: string[] = []
  for (const statement of [...tables].flatMap((name) => EXPLANATIONS[name] ?? [])) {
    const answer = await ask(statement)
    if (answer instanceof SequenceError && answer.code === 'STORE_MISCONFIGURED')
      refusals.push(answer.message)
  }
  if (missing.length > 0) {
    const grants = rowsOf(await ask('SHOW GRANTS')).map((row) => String(Object.values(row)[0]))
    // A role may bring the right, and is not shown with its own.
    const mayCreate = grants.some((grant) => /\bCREATE(,| ON )|ALL PRIVILEGES|^GRANT (?!.* ON )/.test(grant))
    if (grants.length > 0 && !mayCreate)
      refusals.push(`this user may not create the missing tables (${missing.join(', ')})`)
  }
  if (refusals.length === 0) return ok('rights', 'this user may read, write and make what an instance needs')
  return bad(
    'rights',
    'failed',
    refusals[0] as string,
    'GRANT SELECT, INSERT, UPDATE, DELETE on the database to the user, and CREATE with schema: auto; or run `seqsvr init` as a user who may create tables',
  )
}
