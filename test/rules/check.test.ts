import { expect, it } from 'vitest'
import { checkRule } from '../../src/rules/check.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'
import { script, writeRules } from './instance.ts'

const options = {
  zone: new TimeZone('UTC'),
  idStep: 1,
  idOffset: 0,
  nowSeconds: Date.parse('2026-11-21T10:20:30Z') / 1000,
}

async function check(settings: Parameters<typeof script>[0]) {
  const [config] = await writeRules({ r: script(settings) })
  return checkRule(config as NonNullable<typeof config>, options)
}

const date = "string.format('%02d%02d%02d', now:year() % 100, now:month(), now:day())"

it.each(['rules/order_id.lua', 'rules/task.lua'])('finds nothing in %s', async (lua_file) => {
  expect(await checkRule({ name: 'r', lua_file, batch_save: 100 }, options)).toEqual({
    problems: [],
    warnings: [],
  })
})

it('finds nothing in a counter without a format, that never starts again', async () => {
  expect(
    await check({ reset: '0', max: 'math.maxinteger', body: 'return counter:generate_counter()' }),
  ).toEqual({
    problems: [],
    warnings: [],
  })
})

it.each([
  [
    'a period finer than what is printed',
    { reset: '3600', body: `return ${date} .. string.format('%06d', counter:generate_counter())` },
    /can print the same id twice: "261121000000" for counter 0 at 2026-11-21 10:20:30 with salt "", and for counter 0 at 2026-11-21 11:00:00 with salt "": it prints less of the time/,
  ],
  [
    'a time that is not printed at all',
    { reset: '86400', body: 'return counter:generate_counter()' },
    /"0" for counter 0 at 2026-11-21 10:20:30 .* and for counter 0 at 2026-11-22 00:00:00 .*less of the time/,
  ],
  [
    'one digit of the year',
    {
      body: "return string.format('%d%02d%02d%06d', now:year() % 10, now:month(), now:day(), counter:generate_counter())",
    },
    /and for counter 0 at 2036-11-21/,
  ],
  [
    'a counter cut to its last digits',
    { body: `return ${date} .. string.format('%04d', counter:generate_counter() % 10000)` },
    /"2611210000" for counter 0 .* and for counter 10000 .*less of the counter/,
  ],
  [
    'a counter wider than its format, after a day without padding',
    {
      max: '99999',
      body: "return string.format('%d%02d%d%04d', now:year(), now:month(), now:day(), counter:generate_counter())",
    },
    /parts of it that differ in length meet/,
  ],
  [
    'a counter wider than its format',
    { max: '99999', body: `return ${date} .. string.format('%04d', counter:generate_counter())` },
    /the counter is wider than its format: from 10000 on ids are longer than before, and max_counter\(\) is 99999/,
  ],
  [
    'a salt that meets the counter',
    { reset: '0', body: 'return salt .. counter:generate_counter()' },
    /parts of it that differ in length meet/,
  ],
])('warns of %s', async (_, settings, warning) => {
  const { problems, warnings } = await check(settings)
  expect(problems).toEqual([])
  expect(warnings).toEqual([expect.stringMatching(warning)])
  expect(warnings[0]).toMatch(/r\.lua: /)
})

it.each([
  [
    'a function that the sandbox lacks',
    { body: 'return os.date()' },
    /r\.lua:6: attempt to index a nil value \(global 'os'\) \(with counter 0 at/,
  ],
  [
    'a counter that it cannot take',
    { body: 'if counter:generate_counter() == 10000 then return nil end return 1' },
    /returned a nil .*\(with counter 10000/,
  ],
  [
    'an hour of the day that it forgets',
    { body: "if now:hour() ~= 3 then return 'x' end" },
    /returned a nil .*at 2026-11-22 03:/,
  ],
  [
    'a month that it forgets',
    { body: "if now:month() ~= 6 then return 'x' end" },
    /returned a nil .*at 2027-06-/,
  ],
  ['a script that does not end', { body: 'while true do end' }, /ran longer than 30 ms/],
  ['a syntax error', { body: 'return return' }, /r\.lua:6: .* near 'return'/],
])('says what is wrong, where and with what: %s', async (_, settings, problem) => {
  const { problems } = await check(settings)
  expect(problems).toEqual([expect.stringMatching(problem)])
})
