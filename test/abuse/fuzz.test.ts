import { expect, it } from 'vitest'
import { fuzz } from './fuzz.ts'

/* A longer run, of a million: npm run fuzz. The same run again: npm run fuzz -- --count 1500 --seed <what it printed> */
const SEED = Date.now() % 2 ** 31

it(`a process survives some thousand damaged requests on each front (--seed ${SEED})`, {
  timeout: 60_000,
}, async () => {
  const figures = await fuzz(1_500, SEED)
  expect(figures.map(({ front, problems }) => [front, problems])).toEqual([
    ['http', []],
    ['redis', []],
    ['udp', []],
  ])
  for (const { sent } of figures) expect(sent).toBeGreaterThanOrEqual(1_500)
})
