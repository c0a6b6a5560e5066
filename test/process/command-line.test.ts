import { readdir, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { seqsvr } from './command.ts'

describe('a store that is not there', () => {
  it.each([
    [['verify']],
    [['whois', '5']],
    [['sequence', 'list']],
    [['sequence', 'advance', 'orders', '--by', '1']],
    [['sequence', 'retire', 'orders']],
  ])('%j: exit 1, says where it was looked for, and makes nothing', async (args) => {
    const folder = await temporaryFolder()
    expect(await seqsvr(args, { SEQSVR_SQLITE_FILE: 'a.sqlite' }, folder)).toEqual({
      code: 1,
      stdout: '',
      stderr: `seqsvr: STORE_MISCONFIGURED: there is no store at ${folder}/a.sqlite; is sqlite.file right, or the folder?\n`,
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('sequence create makes it, and says where', async () => {
    const folder = await temporaryFolder()
    const { stdout } = await seqsvr(
      ['sequence', 'create', 'orders'],
      { SEQSVR_SQLITE_FILE: 'a.sqlite' },
      folder,
    )
    expect(stdout).toBe(`made orders in SQLite in ${folder}/a.sqlite\n`)
  })
})

describe('seqsvr sequence', () => {
  it('list quotes names that would not be told from the rest of the line', async () => {
    const env = { SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` }
    for (const name of ['orders', 'two words', 'say "hi"', 'größe/1'])
      await seqsvr(['sequence', 'create', name], env)
    const { stdout } = await seqsvr(['sequence', 'list'], env)
    expect(stdout.split('\n')).toEqual([
      'max_id\tstep\tname',
      '1\t1000\tgröße/1',
      '1\t1000\torders',
      '1\t1000\t"say \\"hi\\""',
      '1\t1000\t"two words"',
      '',
    ])
  })

  it('list prints nothing of a store that cannot be read', async () => {
    const file = `${await temporaryFolder()}/a.sqlite`
    await writeFile(file, 'no database'.repeat(100))
    expect(await seqsvr(['sequence', 'list'], { SEQSVR_SQLITE_FILE: file })).toMatchObject({
      code: 1,
      stdout: '',
    })
  })

  it('create --help has its own options first', async () => {
    const { stdout } = await seqsvr(['sequence', 'create', '--help'])
    expect(stdout.match(/--[a-z-]+/g)?.slice(0, 4)).toEqual(['--start', '--step', '--config', '--port'])
  })
})

describe('a command line that is wrong: exit 2', () => {
  it.each([
    [['chekc'], "error: unknown command 'chekc' (Did you mean check?)"],
    [['--config', 'x.yml', 'check'], 'error: put flags after the command: seqsvr check --config …'],
    [['serve', 'check'], "error: too many arguments for 'serve'"],
    [
      ['check', '--mysql-password', 'hush'],
      'error: a secret has no flag: use SEQSVR_MYSQL_PASSWORD or --mysql-password-file',
    ],
    [['--admin-token=hush'], 'error: a secret has no flag: use SEQSVR_ADMIN_TOKEN or --admin-token-file'],
  ])('%j', async (args, stderr) => {
    expect(await seqsvr(args)).toEqual({ code: 2, stdout: '', stderr: `${stderr}\n` })
  })

  it('an unknown command that is like none gets all of them', async () => {
    expect((await seqsvr(['nonsense'])).stderr).toBe(
      "error: unknown command 'nonsense' (The commands are serve, check, init, whois, verify, sequence)\n",
    )
  })
})
