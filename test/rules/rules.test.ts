import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openRules, script, TestTime, writeRules } from './instance.ts'
import { MemoryCounters } from './memory-counters.ts'

describe('loading rules', () => {
  it('loads all or, when one is broken, keeps those from before', async () => {
    const rules = openRules()
    const configs = await writeRules({ a: script(), b: script() })
    await rules.load(configs)
    expect(await rules.create('a', 'x', '')).toBe('20261121102030/0')
    const [a, b] = configs as [(typeof configs)[0], (typeof configs)[0]]
    await writeFile(a.lua_file, script({ body: "return 'new' .. counter:generate_counter()" }))
    await writeFile(b.lua_file, 'function min_counter( return 0 end')
    await expect(rules.load(configs)).rejects.toMatchObject({
      code: 'RULE_FAILED',
      message: expect.stringMatching(/b\.lua:1: .* near 'return'/),
    })
    expect(await rules.create('a', 'x', '')).toBe('20261121102030/1')
    await writeFile(b.lua_file, script())
    await rules.load(configs)
    // What had been reserved for the old script is a gap.
    expect(await rules.create('a', 'x', '')).toBe('new100')
  })

  it('a rule that is as it was goes on where it stood; one that is gone is unknown', async () => {
    const store = new MemoryCounters()
    const rules = openRules({ store })
    const configs = await writeRules({ a: script(), b: script() })
    await rules.load(configs)
    await rules.create('a', 'x', '')
    await rules.load(configs.slice(0, 1))
    expect(await rules.create('a', 'x', '')).toBe('20261121102030/1')
    expect(() => rules.create('b', 'x', '')).toThrow(expect.objectContaining({ code: 'UNKNOWN_RULE' }))
    expect(store.reservations).toBe(1)
  })

  it('serves requests that wait for the old script to the end', async () => {
    const rules = openRules()
    const configs = await writeRules({ a: script() })
    await rules.load(configs)
    await rules.create('a', 'x', '')
    const waiting = Array.from({ length: 20 }, () => rules.create('a', 'x', ''))
    await writeFile(configs[0]?.lua_file as string, script({ body: "return 'new'" }))
    await rules.load(configs)
    expect((await Promise.all(waiting)).at(-1)).toBe('20261121102030/20')
    expect(await rules.create('a', 'x', '')).toBe('new')
  })

  it.each([
    ['no such file', undefined, /^there is no file \/.*\.lua\.not$/],
    [
      'a function is missing',
      'function min_counter() return 0 end',
      /does not define the function max_counter\(\)/,
    ],
    ['no create_id', script().replace('create_id', 'creat_id'), /does not define the function create_id\(\)/],
    ['a minimum that is not a number', script({ min: "'x'" }), /min_counter\(\) returned a string/],
    ['a minimum that is not whole', script({ min: '1.5' }), /min_counter\(\) must return a whole number/],
    ['a negative minimum', script({ min: '-1' }), /min_counter\(\) is -1/],
    [
      'a maximum below the minimum',
      script({ min: '5', max: '4' }),
      /min_counter\(\) is 5 and max_counter\(\) is 4/,
    ],
    ['an error at the top', `\n\nlocal x = nil + 1\n${script()}`, /r\.lua:3: attempt to perform arithmetic/],
    ['a period that is not whole', script({ reset: '1.5' }), /reset_seconds\(\) must return a whole number/],
  ])('says what is wrong: %s', async (_, text, message) => {
    const rules = openRules()
    const configs = await writeRules({ r: text ?? '' })
    const missing = configs.map((config) => ({ ...config, lua_file: `${config.lua_file}.not` }))
    await expect(rules.load(text === undefined ? missing : configs)).rejects.toMatchObject({
      message: expect.stringMatching(message),
    })
  })

  it('ends a script that never finishes loading', { timeout: 20_000 }, async () => {
    const rules = openRules()
    await expect(rules.load(await writeRules({ r: 'while true do end' }))).rejects.toMatchObject({
      message: expect.stringContaining('took longer than 5000 ms to load'),
    })
  })
})

describe('I9: limits', () => {
  it('counters in memory, whatever app_names clients invent', async () => {
    const store = new MemoryCounters()
    const rules = openRules({ store, countersMax: 5 })
    await rules.load(await writeRules({ r: script() }))
    for (let i = 0; i < 5; i++) await rules.create('r', `app${i}`, '')
    expect(() => rules.create('r', 'one more', '')).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_SEQUENCES' }),
    )
    expect(store.rows.size).toBe(5)
    expect(await rules.create('r', 'app0', '')).toBe('20261121102030/1')
  })

  it('counters of a period that is over make room', async () => {
    const time = new TestTime('2026-11-21T10:20:30')
    const rules = openRules({ time: time.clock(), countersMax: 20 })
    await rules.load(await writeRules({ r: script() }))
    for (let i = 0; i < 20; i++) await rules.create('r', `app${i}`, '')
    time.pass(86_400)
    for (let i = 10; i < 20; i++) await rules.create('r', `app${i}`, '')
    for (let i = 0; i < 10; i++) expect(await rules.create('r', `new${i}`, '')).toBe('20261122102030/0')
    expect(() => rules.create('r', 'one more', '')).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_SEQUENCES' }),
    )
    expect(await rules.create('r', 'app19', '')).toBe('20261122102030/1')
  })

  it.each([
    ['a long app_name', 'x'.repeat(65), ''],
    ['a line break in app_name', 'a\nb', ''],
    ['half a character in app_name', '\ud800', ''],
    ['a long salt', 'a', 'x'.repeat(129)],
    ['a tab in the salt', 'a', '1\t2'],
    ['a zero byte in the salt', 'a', '\0'],
  ])('%s is refused', async (_, app, salt) => {
    const rules = openRules()
    await rules.load(await writeRules({ r: script() }))
    expect(() => rules.create('r', app, salt)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })

  it('runs that wait for one rule', async () => {
    const rules = openRules()
    await rules.load(await writeRules({ r: script() }, 10_000))
    await rules.create('r', 'a', '')
    const waiting = rules.createMany('r', 'a', '', 2_100)
    // Its numbers are taken in a few turns of the microtask queue, before any script runs.
    for (let i = 0; i < 20; i++) await undefined
    expect(() => rules.create('r', 'a', '')).toThrow(expect.objectContaining({ code: 'TOO_MANY_WAITERS' }))
    expect(new Set(await waiting).size).toBe(2_100)
  })
})
