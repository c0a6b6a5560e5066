import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { script } from '../rules/instance.ts'
import { seededRandom } from '../support/random.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { UdpClient } from '../udp/client.ts'
import { fuzzedDatagrams } from '../udp/fuzz.ts'
import { seqsvr } from './command.ts'

/** A configuration on the embedded store with these scripts; resolves with where its files are. */
async function configure(scripts: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder()
  const fileOf = (rule: string) => `${folder}/${rule}.lua`
  for (const [rule, text] of Object.entries(scripts)) await writeFile(fileOf(rule), text)
  const rules = Object.keys(scripts).map((rule) => `{ name: ${rule}, lua_file: '${fileOf(rule)}' }`)
  const config = `${folder}/config.yml`
  await writeFile(
    config,
    `
sqlite: { file: '${folder}/a.sqlite' }
redis: { port: 'off' }
udp: { port: '127.0.0.1:0', rules: [${rules}] }
`,
  )
  return { config, fileOf }
}

async function serve(scripts: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const { config, fileOf } = await configure(scripts)
  const instance = await SeqsvrProcess.start(env, ['--config', config])
  onTestFinished(() => instance.kill())
  const [, port] = /UDP on 127\.0\.0\.1:(\d+)/.exec(instance.output) as unknown as [string, string]
  return { instance, fileOf, client: new UdpClient(Number(port)) }
}

it('lets all other threads go before those of scripts', async () => {
  const { instance } = await serve({ a: script(), b: script() })
  const threads = `/proc/${instance.pid}/task`
  // proc(5): the nice value is the 19th field, the 17th behind the name in brackets.
  const niceOf = async (thread: string) =>
    Number((await readFile(`${threads}/${thread}/stat`, 'latin1')).replace(/.*\) /s, '').split(' ')[16])
  const nice = await Promise.all((await readdir(threads)).map(niceOf))
  expect(nice.filter((value) => value === 10)).toHaveLength(2)
  expect(await niceOf(String(instance.pid))).toBeLessThan(10)
})

describe('seqsvr check', () => {
  it('names file and line of what is wrong with a script, whether it does not parse or fails when it runs: exit 1', async () => {
    const { config, fileOf } = await configure({
      unparsable: 'function min_counter() return 0 end\nfunction max_counter( return 9 end',
      failing: script({
        body: "if now:month() == 2 and salt == '' then error('none in February') end return 'x'",
      }),
      fine: script(),
    })
    const { code, stdout } = await seqsvr(['check', '--config', config])
    expect(code).toBe(1)
    expect(stdout).toContain(`rule unparsable: ${fileOf('unparsable')}:2: `)
    expect(stdout).toContain(`rule failing: ${fileOf('failing')}:6: none in February (with counter `)
    expect(stdout).toContain(`rule fine in ${fileOf('fine')}`)
  })

  it('warns of a rule that can print an id twice, which is no reason to fail: exit 0', async () => {
    const { config } = await configure({
      repeating: script({ reset: '3600', body: "return now:day() .. '-' .. counter:generate_counter()" }),
    })
    const { code, stdout } = await seqsvr(['check', '--config', config])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/warning: .*rule repeating: .*can print the same id twice/),
    ])
  })

  it('finds nothing to say about the rules that are shipped', async () => {
    const { code, stdout } = await seqsvr(
      ['check'],
      { SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a` },
      '.',
    )
    expect([code, stdout]).toEqual([0, expect.stringContaining('rule order_id in rules/order_id.lua')])
    expect(stdout).toContain('rule task in rules/task.lua')
  })
})

describe('SIGHUP', () => {
  it('with a broken script keeps all rules as they were and logs why; with a good one it loads them', async () => {
    const count = (word: string) =>
      script({ min: '1', body: `return '${word}' .. counter:generate_counter()` })
    const { instance, client, fileOf } = await serve({ a: count('old a '), b: count('old b ') })
    const ask = async (rule: string) =>
      ((await client.ask({ action: 'get', rule_name: rule, app_name: 'x' })) as { data: string }).data
    expect([await ask('a'), await ask('b')]).toEqual(['old a 1', 'old b 1'])

    await writeFile(fileOf('a'), count('new a '))
    await writeFile(fileOf('b'), 'function min_counter() return 1 end\n\nreturn +')
    instance.signal('SIGHUP')
    await until(5_000, () => instance.output.includes('not reloaded'))
    expect(instance.output).toContain(`not reloaded, going on as before: ${fileOf('b')}:3: `)
    expect([await ask('a'), await ask('b')]).toEqual(['old a 2', 'old b 2'])

    await writeFile(fileOf('b'), count('new b '))
    instance.signal('SIGHUP')
    await until(5_000, () => instance.output.includes('"reloaded: '))
    // Of each, what the old script had reserved is a gap.
    expect([await ask('a'), await ask('b')]).toEqual(['new a 101', 'new b 101'])
    const overHttp = await fetch(`${instance.url}/rule?rule_name=a&app_name=x&format=text`)
    expect(await overHttp.text()).toBe('new a 102\n')
  })
})

/**
 * A longer run: SEQSVR_TEST_FUZZ_DATAGRAMS=10000000 npx vitest run test/process/rules.test.ts
 * The same run again: SEQSVR_TEST_FUZZ_SEED=<the seed that it printed>
 */
const DATAGRAMS = Number(process.env.SEQSVR_TEST_FUZZ_DATAGRAMS ?? 100_000)
const SEED = Number(process.env.SEQSVR_TEST_FUZZ_SEED ?? Date.now() % 2 ** 31)
const GROWTH_BYTES_MAX = 50_000_000

it(`I9: ${DATAGRAMS} fuzzed datagrams: no crash, no reply larger than 1400 bytes, and no growth`, {
  timeout: 60_000 + DATAGRAMS,
}, async () => {
  console.log(`SEQSVR_TEST_FUZZ_SEED=${SEED}`)
  const order = 'return string.format("O%s%06d", salt, counter:generate_counter())'
  const { instance, client } = await serve(
    { task: script({ body: order }), order_id: script({ body: order }) },
    // What V8 of Node 24 has for short-lived objects grows to 128 MB, whatever is in it.
    { NODE_OPTIONS: '--max-semi-space-size=16' },
  )
  const next = fuzzedDatagrams(seededRandom(SEED))
  let longest = 0
  let residentBytes = 0
  for (let i = 1; i <= DATAGRAMS; i++) {
    client.send(next())
    if (i % 50 !== 0) continue
    // All that was sent before has been read by then, so that no buffer overflows.
    const mark = `mark ${i}`
    await client.askText(JSON.stringify({ seq: mark }), `"${mark}"`)
    for (const reply of client.replies.splice(0)) {
      longest = Math.max(longest, Buffer.byteLength(reply))
      expect([0, -1]).toContain(JSON.parse(reply).code)
    }
    // By then the code is compiled, and counters of all names that these datagrams have are in memory.
    if (i === DATAGRAMS / 5) residentBytes = instance.residentBytes
  }
  expect(longest).toBeGreaterThan(1_000)
  expect(longest).toBeLessThanOrEqual(1_400)
  expect(instance.running).toBe(true)
  const request = { action: 'get', rule_name: 'task', app_name: 'last', salt: 'x', seq: 'last' }
  expect(JSON.parse(await client.askText(JSON.stringify(request), '"last"'))).toMatchObject({
    code: 0,
    data: 'Ox000000',
  })
  expect(residentBytes).toBeGreaterThan(0)
  expect(instance.residentBytes - residentBytes).toBeLessThan(GROWTH_BYTES_MAX)
})
