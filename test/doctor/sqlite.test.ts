import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { type DriverDatabase, loadDriver } from '../../src/store/sqlite/driver.ts'
import { inspectDatabase } from '../../src/store/sqlite/inspection.ts'
import { type FileSystem, inspectFile } from '../../src/store/sqlite/inspection-file.ts'
import type { SqliteStore, SqliteStoreOptions } from '../../src/store/sqlite/store.ts'
import { openSqlite } from '../store/sqlite-fixture.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { grave, only } from './findings.ts'

const driver = await loadDriver()

const DAY_MS = 86_400_000

/** A file with its tables and an agreement, and nothing leased. */
async function prepared(): Promise<{ file: string; folder: string; store: SqliteStore }> {
  const folder = await temporaryFolder()
  const file = `${folder}/seqsvr.sqlite`
  const store = openSqlite(file)
  await store.prepare()
  return { file, folder, store }
}

function sql(file: string, statements: string): void {
  const database = new driver(file)
  database.exec(statements)
  database.close()
}

function inspect(file: string, options: Partial<SqliteStoreOptions> = {}): Finding[] {
  return inspectDatabase(driver, {
    file,
    schema: 'auto',
    busyTimeoutMs: 100,
    agreement: { step: 100, first: 0 },
    provenance: true,
    ...options,
  })
}

describe('where the file lies', () => {
  const MIB = 2 ** 20
  const system = (more: Partial<FileSystem> = {}, type = 0xef53, mib = 1_000): FileSystem => ({
    statfs: () => ({ type, bsize: 4096, bavail: (mib * MIB) / 4096 }),
    access: () => {},
    ...more,
  })

  // The magic numbers of linux/magic.h, since no such file system can be mounted here.
  it.each([
    ['NFS', 0x6969, 'danger'],
    ['SMB', 0x517b, 'danger'],
    ['SMB 2', 0xfe534d42, 'danger'],
    ['CIFS', 0xff534d42, 'danger'],
    ['CIFS, with a sign', 0xff534d42 | 0, 'danger'],
    ['FUSE', 0x65735546, 'danger'],
    ['9p', 0x01021997, 'danger'],
    ['Ceph', 0x00c36400, 'danger'],
    ['tmpfs', 0x01021994, 'danger'],
    ['overlay', 0x794c7630, 'warning'],
    ['ext4', 0xef53, 'ok'],
    ['xfs', 0x58465342, 'ok'],
    ['btrfs', 0x9123683e, 'ok'],
    ['zfs', 0x2fc12fc1, 'ok'],
  ])('%s (%i): %s', async (_name, type, severity) => {
    const file = `${await temporaryFolder()}/a.sqlite`
    expect(only(inspectFile(file, system({}, type)), 'file-system').severity).toBe(severity)
  })

  it('names the file system where it is one of the usual', async () => {
    const folder = await temporaryFolder()
    const what = (type: number) =>
      only(inspectFile(`${folder}/a.sqlite`, system({}, type)), 'file-system').what
    expect(what(0xef53)).toBe(`${folder} is on ext4, a local file system`)
    expect(what(0x1234)).toBe(`${folder} is on a file system of type 0x1234, which is none of a network`)
  })

  it('asks the real system: a folder is there, and the file and folders below may be missing', async () => {
    const folder = await temporaryFolder()
    const findings = inspectFile(`${folder}/new/and/deep/a.sqlite`)
    expect(findings.map(({ name }) => name)).toEqual(['file-system', 'disk-space', 'file-access'])
    expect(only(findings, 'file-system').what).toContain(folder)
    expect(await readdir(folder)).toEqual([])
  })

  it.each([
    [0.5, 'failed'],
    [50, 'warning'],
    [500, 'ok'],
  ])('%d MiB free: %s', async (mib, severity) => {
    const file = `${await temporaryFolder()}/a.sqlite`
    expect(only(inspectFile(file, system({}, 0xef53, mib)), 'disk-space').severity).toBe(severity)
  })

  it('a file system that is read-only: failed file-access', async () => {
    const file = `${await temporaryFolder()}/a.sqlite`
    const access = () => {
      throw Object.assign(new Error("EROFS: read-only file system, access '/data'"), { code: 'EROFS' })
    }
    expect(grave(inspectFile(file, system({ access })))).toEqual(['failed file-access'])
  })

  it('a folder where the file should be, or a file where the folder should be: failed file-access', async () => {
    const folder = await temporaryFolder()
    await mkdir(`${folder}/a.sqlite`)
    await writeFile(`${folder}/b`, '')
    expect(grave(inspectFile(`${folder}/a.sqlite`, system()))).toEqual(['failed file-access'])
    expect(grave(inspectFile(`${folder}/b/c.sqlite`, system()))).toEqual(['failed file-access'])
  })

  it('a file that everybody may write: warning file-access', async () => {
    const file = `${await temporaryFolder()}/a.sqlite`
    await writeFile(file, '')
    await chmod(file, 0o666)
    expect(grave(inspectFile(file, system()))).toEqual(['warning file-access'])
    await chmod(file, 0o644)
    expect(grave(inspectFile(file, system()))).toEqual([])
  })
})

describe('the database', () => {
  it('that is well, and the same through the store, which looks around it as well', async () => {
    const { file, store } = await prepared()
    expect(grave(inspect(file))).toEqual([])
    const names = (await store.inspect()).map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['file-system', 'store-reachable', 'file-integrity', 'agreement']),
    )
  })

  it('that is not there: well with schema auto, failed tables with manual, and no file is made', async () => {
    const folder = await temporaryFolder()
    expect(grave(inspect(`${folder}/a.sqlite`))).toEqual([])
    expect(grave(inspect(`${folder}/a.sqlite`, { schema: 'manual' }))).toEqual(['failed tables'])
    await openSqlite(`${folder}/a.sqlite`).inspect()
    expect(await readdir(folder)).toEqual([])
  })

  it('that is no database: failed store-reachable', async () => {
    const file = `${await temporaryFolder()}/a.sqlite`
    await writeFile(file, 'x'.repeat(5_000))
    const findings = inspect(file)
    expect(grave(findings)).toEqual(['failed store-reachable'])
    expect(only(findings, 'store-reachable').what).toContain('is not a SQLite database')
  })

  it('whose pages are damaged: danger file-integrity', async () => {
    const { file, store } = await prepared()
    for (let i = 0; i < 50; i++) await store.segments.create(`${i}`.padStart(120, 'x'), 1n, 10)
    await store.close()
    const bytes = await readFile(file)
    // A page of names without its header; the file's own header says how long a page is.
    const pageBytes = bytes.readUInt16BE(16)
    const page = bytes.indexOf(`x${'49'}`)
    bytes.fill(0, page - (page % pageBytes), page - (page % pageBytes) + 64)
    await writeFile(file, bytes)
    expect(grave(inspect(file))).toContain('danger file-integrity')
  })

  it('in WAL mode: warning file-journal, what is in it is read all the same, and no file is made', async () => {
    const { file, folder, store } = await prepared()
    await store.close()
    sql(file, "PRAGMA journal_mode = WAL; INSERT INTO seqsvr_meta VALUES ('generator.floor', 5000)")
    const files = await readdir(folder)
    expect(grave(inspect(file))).toEqual(['warning file-journal', 'failed generator-floor'])
    expect(await readdir(folder)).toEqual(files)
  })

  it('with a journal that a crash left: failed store-reachable, and nothing is rolled back', async () => {
    const { file, folder, store } = await prepared()
    await store.close()
    const database: DriverDatabase = new driver(file)
    onTestFinished(() => database.close())
    // Little memory, so that the journal is synced and pages are written before the commit: then the machine stops.
    database.exec(`
      PRAGMA cache_size = 1; BEGIN;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO segments (app_tag, max_id, step) SELECT i, 1, 1 FROM n`)
    const crashed = `${folder}/crashed.sqlite`
    await copyFile(file, crashed)
    await copyFile(`${file}-journal`, `${crashed}-journal`)
    const before = await readFile(`${crashed}-journal`)
    expect(grave(inspect(crashed))).toEqual(['failed store-reachable'])
    expect(await readFile(`${crashed}-journal`)).toEqual(before)
  })

  it('I7: of another step: failed agreement', async () => {
    const { file } = await prepared()
    expect(grave(inspect(file, { agreement: { step: 7, first: 0 } }))).toEqual(['failed agreement'])
  })

  it.each([
    ["INSERT INTO seqsvr_meta VALUES ('generator.floor', 5000)", 'failed generator-floor'],
    ["INSERT INTO seqsvr_leases VALUES ('', 100, 900, 'x', 1)", 'failed generator-floor'],
    [
      "INSERT INTO segments VALUES ('a', 1, 1, ''); INSERT INTO seqsvr_meta VALUES ('segment.floor/a', 9)",
      'failed sequence-floors',
    ],
    [
      "INSERT INTO segments VALUES ('a', 1, 1, ''); INSERT INTO seqsvr_leases VALUES ('a', 1, 9, 'x', 1)",
      'failed sequence-floors',
    ],
    ["INSERT INTO seqsvr_meta VALUES ('segment.floor/retired', 9)", undefined],
    ["INSERT INTO segments VALUES ('a', 1, 0, '')", 'failed sequence-rows'],
    ["INSERT INTO segments VALUES ('a', -1, 1, '')", 'failed sequence-rows'],
    ["INSERT INTO segments VALUES ('a', 9223372036854775808, 1, '')", 'failed sequence-space'],
    ["INSERT INTO segments VALUES ('a', 9007199254740992, 1, '')", 'warning large-ids'],
    ["INSERT INTO counter VALUES (0, 'r', 'shop', -8, 1)", 'warning counter-refusals'],
    ['DROP TABLE counter', undefined],
  ])('%s: %s', async (statements, expected) => {
    const { file } = await prepared()
    sql(file, statements)
    expect(grave(inspect(file)).filter((fault) => !/large-ids/.test(fault) || fault === expected)).toEqual(
      expected === undefined ? [] : [expected],
    )
  })

  it('says how long ids last at the rate of the leases on record', async () => {
    const { file } = await prepared()
    sql(
      file,
      `INSERT INTO segments VALUES ('a', 1000000000000000, 1, '');
       INSERT INTO seqsvr_leases VALUES ('a', 1, 1000000000000000, 'x', ${Date.now() - DAY_MS})`,
    )
    const { severity, what } = only(inspect(file), 'sequence-space')
    // 10^15 in a day: eight days to 2^53, and 25 years to 2^63.
    expect(severity).toBe('ok')
    expect(what).toMatch(
      / 25 years at the present rate; [\d,]+ of them below 2\^53, 8 days at the present rate$/,
    )
  })
})
