/**
 * Load where wrk is missing: `node autocannon-load.js URL CONNECTIONS SECONDS TAGS`, over so many sequences unless that is 0.
 * Prints LoadFigures as JSON.
 */
import { createRequire } from 'node:module'

/** What is used of a package without types. */
type Autocannon = (options: {
  url: string
  connections: number
  duration: number
  requests?: { setupRequest: <T>(request: T) => T & { path: string } }[]
}) => Promise<{
  requests: { total: number }
  duration: number
  latency: { p50: number; p99: number }
  errors: number
  non2xx: number
}>

const autocannon: Autocannon = createRequire(import.meta.url)('autocannon')
const [url = '', ...numbers] = process.argv.slice(2)
const [connections, duration, tags] = numbers.map(Number) as [number, number, number]
let asked = 0
const inTurn = {
  setupRequest: <T>(request: T) => ({
    ...request,
    path: `${new URL(url).pathname}?app_tag=t${asked++ % tags}`,
  }),
}
const result = await autocannon({ url, connections, duration, ...(tags > 0 && { requests: [inTurn] }) })
console.log(
  JSON.stringify({
    requests: result.requests.total,
    seconds: result.duration,
    p50Us: result.latency.p50 * 1000,
    p99Us: result.latency.p99 * 1000,
    errors: result.errors + result.non2xx,
  }),
)
