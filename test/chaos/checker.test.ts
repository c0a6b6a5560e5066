import { expect, it } from 'vitest'
import { Checker } from '../../chaos/checker.ts'
import { IdSet } from '../../chaos/id-set.ts'

it('a set of ids knows each one, near and far, and counts what is missing between them', () => {
  const set = new IdSet()
  const ids = [100, 101, 4_095, 4_096, 131, 132, 9_007_199_254_740_991]
  expect(ids.map((id) => set.add(id))).toEqual([true, true, true, true, true, true, true])
  expect(ids.map((id) => set.add(id))).toEqual([false, false, false, false, false, false, false])
  expect(set.add(0)).toBe(true)
  expect(set.size).toBe(8)
  expect(set.gaps).toBe(9_007_199_254_740_984)
  expect(() => set.add(2 ** 53)).toThrow(RangeError)
})

it('I1: the checker finds an id that came twice, whoever got it, and tells streams apart', () => {
  const checker = new Checker()
  checker.acknowledged({ name: 'a' }, 'generator', [100, 101, 102])
  checker.acknowledged({ name: 'b' }, 'orders', [100, 101, 102])
  expect(checker.duplicates).toBe(0)
  checker.acknowledged({ name: 'b' }, 'generator', [103, 101])
  expect(checker.duplicates).toBe(1)
  expect(checker.violations).toEqual(['I1: b got 101 of generator, which was given before'])
  expect(checker.wasted('generator')).toBe(0)
})

it('I1: the checker finds a formatted id that came twice', () => {
  const checker = new Checker()
  const texts = ['20261121093000-000000001', '20261121093001-000000001', '20261121093000-000000002']
  for (const text of texts) checker.acknowledgedText({ name: 'a' }, 'order shop', text)
  checker.acknowledgedText({ name: 'a' }, 'order desk', '20261121093000-000000001')
  expect(checker.duplicates).toBe(0)
  checker.acknowledgedText({ name: 'b' }, 'order shop', '20261121093001-000000001')
  expect(checker.violations).toEqual(['I1: b got 1 of order shop/20261121093001-, which was given before'])
})

it('I5: the checker finds an id that is not above the last one of its asker', () => {
  const checker = new Checker()
  const ordered = { name: 'a', last: new Map<string, number>() }
  checker.acknowledged(ordered, 'generator', [100, 105])
  checker.acknowledged({ name: 'through a proxy' }, 'generator', [99])
  expect(checker.outOfOrder).toBe(0)
  checker.acknowledged(ordered, 'generator', [104])
  expect(checker.outOfOrder).toBe(1)
  expect(checker.duplicates).toBe(0)
  expect(checker.violations).toEqual(['I5: a got 104 of generator after 105'])
})
