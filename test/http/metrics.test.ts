import { describe, expect, it } from 'vitest'
import { ask, startInstance } from './instance.ts'

/** Nothing here is about a store that is slow, as a busy machine's may be. */
const PATIENT = { wait_ms_max: 30_000 }

/** The values of `/metrics` by name and labels. */
async function scrape(url: string): Promise<ReadonlyMap<string, string>> {
  const [, body] = await ask(`${url}/metrics`)
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), line.slice(space + 1)]
    }),
  )
}

describe('/metrics', () => {
  it("is Prometheus's text, never from a cache, and takes no id", async () => {
    const { url } = await startInstance(PATIENT)
    const response = await fetch(`${url}/metrics`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toMatch(
      /^# HELP seqsvr_ids_issued_total \S.+\n# TYPE seqsvr_ids_issued_total counter\nseqsvr_ids_issued_total\{front="http"\} 0$/m,
    )
    expect((await ask(`${url}/new`))[1]).toContain('"id":100}')
  })

  it('counts every id that left, whichever way it was asked for, once', async () => {
    const { url, segments } = await startInstance(PATIENT)
    await segments.create('orders', 1n, 1_000)
    await ask(`${url}/new`)
    await ask(`${url}/new`, { method: 'POST' })
    await ask(`${url}/new`, { headers: { accept: 'text/plain' } })
    await ask(`${url}/new?count=7&format=text`)
    await ask(`${url}/new?count=5`)
    await ask(`${url}/alloc?app_tag=orders`)
    await ask(`${url}/alloc?app_tag=orders&count=20`)
    await ask(`${url}/health?app_tag=orders`)
    const values = await scrape(url)
    expect(values.get('seqsvr_ids_issued_total{front="http"}')).toBe('36')
    expect(values.get('seqsvr_sequence_ids_issued_total{kind="generator",sequence="generator"}')).toBe('15')
    expect(values.get('seqsvr_sequence_ids_issued_total{kind="named",sequence="orders"}')).toBe('21')
    expect(values.get('seqsvr_sequence_ids_issued_total{kind="other",sequence="_other"}')).toBe('0')
    expect(values.get('seqsvr_sequence_ids_left{kind="named",sequence="orders"}')).toBe('979')
    expect(values.get('seqsvr_sequence_leased_to{kind="named",sequence="orders"}')).toBe('1001')
    expect(values.get('seqsvr_leases_total{kind="named"}')).toBe('1')
    expect(values.get('seqsvr_lease_ids_total{kind="named"}')).toBe('1000')
    expect(values.get('seqsvr_lease_duration_seconds_count{kind="named"}')).toBe('1')
    expect(values.get('seqsvr_sequences_in_memory')).toBe('1')
  })

  it('tells a named sequence from the generator and from the others by its kind, whatever it is called', async () => {
    const { url, segments } = await startInstance(PATIENT)
    const names = ['generator', '_other', 'a "b" \\ ü']
    for (const name of names) {
      await segments.create(name, 1n, 1_000)
      await ask(`${url}/alloc?app_tag=${encodeURIComponent(name)}`)
    }
    const values = await scrape(url)
    const issued = [...values].filter(([name]) => name.startsWith('seqsvr_sequence_ids_issued_total'))
    expect(issued).toEqual([
      ['seqsvr_sequence_ids_issued_total{kind="generator",sequence="generator"}', '0'],
      ['seqsvr_sequence_ids_issued_total{kind="named",sequence="generator"}', '1'],
      ['seqsvr_sequence_ids_issued_total{kind="named",sequence="_other"}', '1'],
      ['seqsvr_sequence_ids_issued_total{kind="named",sequence="a \\"b\\" \\\\ ü"}', '1'],
      ['seqsvr_sequence_ids_issued_total{kind="other",sequence="_other"}', '0'],
    ])
  })

  it('counts failed requests by their code, each of which is there from the start', async () => {
    const { url } = await startInstance(PATIENT)
    const failures = (values: ReadonlyMap<string, string>) =>
      Object.fromEntries(
        [...values].flatMap(([name, value]) => {
          const code = /^seqsvr_request_failures_total\{front="http",code="(\w+)"\}$/.exec(name)?.[1]
          return code === undefined ? [] : [[code, value]]
        }),
      )
    expect(failures(await scrape(url))).toMatchObject({ STORE_UNAVAILABLE: '0', TOO_MANY_WAITERS: '0' })
    await ask(`${url}/new?count=0`)
    await ask(`${url}/alloc`)
    await ask(`${url}/alloc?app_tag=nobody`)
    await ask(`${url}/health?app_tag=nobody`)
    await ask(`${url}/rule?rule_name=nobody&app_name=a`)
    expect(failures(await scrape(url))).toMatchObject({
      BAD_REQUEST: '2',
      UNKNOWN_SEQUENCE: '2',
      UNKNOWN_RULE: '1',
      STORE_UNAVAILABLE: '0',
    })
  })

  it('is the same counted twice: what is published does not add up', async () => {
    const { url } = await startInstance(PATIENT)
    await ask(`${url}/new`)
    await scrape(url)
    const values = await scrape(url)
    expect(values.get('seqsvr_ids_issued_total{front="http"}')).toBe('1')
    expect(values.get('seqsvr_connections{front="http"}')).toMatch(/^[1-9]$/)
  })
})
