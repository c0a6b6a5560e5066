import { httpContestants } from './http.ts'
import { httpLoad } from './load.ts'
import type { Suite } from './suite.ts'

/**
 * Any other server that answers `url` with an id, beside ours, in turns. It runs already: its core, its store and its
 * CPU time are the business of who started it (`taskset -c 0`, to be fair to both).
 */
export function againstSuite(url: string): Suite {
  const { host } = new URL(url)
  const other = {
    name: host,
    load: httpLoad(url, 64),
    probe: async () => (await fetch(url)).ok,
  }
  const load = httpLoad('/new', 64)
  return {
    name: 'against',
    title: `GET /new beside ${url}`,
    load,
    contestants: [other, ...httpContestants()],
    ceilings: [host],
  }
}
