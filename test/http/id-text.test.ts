import { expect, it } from 'vitest'
import { idText } from '../../src/fronts/http/id-text.ts'
import { seededRandom } from '../support/random.ts'

it.each([
  [0, '0'],
  [7, '7'],
  [999, '999'],
  [1000, '1000'],
  [1009, '1009'],
  [1_000_000, '1000000'],
  [2_147_483_648, '2147483648'],
  [9_007_199_254_740_000, '9007199254740000'],
  [9_007_199_254_739_999, '9007199254739999'],
  [9_007_199_254_740_991, '9007199254740991'],
  [9_007_199_254_740_992n, '9007199254740992'],
  [9_223_372_036_854_775_807n, '9223372036854775807'],
])('%s', (id, text) => {
  expect(idText(id)).toBe(text)
})

it('I6: the text of any number, in any order, is that of the same bigint', () => {
  const random = seededRandom(1)
  for (let i = 0; i < 20_000; i++) {
    const near = Math.floor(2 ** (random() * 53) / 1000) * 1000
    for (const id of [near, near + 999, near + Math.floor(random() * 1000)].filter(Number.isSafeInteger))
      expect(idText(id)).toBe(BigInt(id).toString())
  }
})
