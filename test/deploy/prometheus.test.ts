import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { page, rows, section } from '../docs/markdown.ts'
import { ensureInstalled } from '../support/debian.ts'
import { freePort } from '../support/free-port.ts'
import { takeIds } from '../support/id-load.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'

const RULES = 'deploy/prometheus-rules.yml'
const DASHBOARD = 'deploy/grafana-dashboard.json'
const INSTALL_MS_MAX = 120_000

let promtool: string

/** Runs promtool. Resolves to its exit code and all that it wrote. */
async function run(args: readonly string[], input = ''): Promise<[code: number, output: string]> {
  const child = spawn(promtool, args)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return [code, output]
}

/** What `/metrics` of a real process with all fronts says after ids have left through each of them. */
async function metricsUnderLoad(): Promise<string> {
  const [redisPort, udpPort] = [await freePort(), await freePort()]
  const config = `${folder}/config.yml`
  await writeFile(
    config,
    `step: 10000
wait_ms_max: 30000
redis: { port: '127.0.0.1:${redisPort}' }
udp: { port: '127.0.0.1:${udpPort}', rules: [{ name: order, lua_file: ${process.cwd()}/rules/order_id.lua, batch_save: 100 }] }
sqlite: { file: ${folder}/seqsvr.sqlite }
`,
  )
  const instance = await SeqsvrProcess.start({}, ['--config', config])
  try {
    const redis = connect(redisPort, '127.0.0.1')
    let replies = ''
    redis.setEncoding('latin1').on('data', (chunk: string) => {
      replies += chunk
      if (replies.length === ':1\r\n'.length * 9 + ':10\r\n'.length) redis.end()
    })
    redis.write('INCR orders\r\n'.repeat(10))
    const [ids] = await Promise.all([
      takeIds([`${instance.url}/new`], 3_000, 8),
      once(redis, 'close'),
      askRule(udpPort),
    ])
    expect(ids).toHaveLength(3_000)
    return await (await fetch(`${instance.url}/metrics`)).text()
  } finally {
    await instance.kill()
  }
}

/** One id of the rule, over UDP. */
async function askRule(port: number): Promise<void> {
  const socket = createSocket('udp4')
  socket.send('{"action":"get","rule_name":"order","app_name":"shop"}', port, '127.0.0.1')
  await once(socket, 'message')
  socket.close()
}

interface Metric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** The metrics in Prometheus's text, each with the labels of its first sample. */
function metricsIn(text: string): Metric[] {
  return text
    .split('# HELP ')
    .slice(1)
    .map((part) => {
      const [head, typeLine, sample] = part.split('\n') as [string, string, string]
      const space = head.indexOf(' ')
      const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label as string)
      return {
        name: head.slice(0, space),
        help: head.slice(space + 1),
        type: typeLine.split(' ').at(-1) as string,
        labels: labels.filter((label) => label !== 'le'),
      }
    })
}

/** Names of metrics in texts of PromQL, and those that Prometheus keeps for a histogram as that histogram's. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\b(?:seqsvr|nodejs|process)_\w+/g)].map(([name]) =>
    name.replace(/_seconds_(?:bucket|count|sum)$/, '_seconds'),
  )
}

let folder: string
let exposed: string
let dashboard: string
let rules: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seqsvr-prometheus-'))
  promtool = await ensureInstalled('promtool', 'prometheus')
  exposed = await metricsUnderLoad()
  dashboard = await readFile(DASHBOARD, 'utf8')
  rules = await readFile(RULES, 'utf8')
}, INSTALL_MS_MAX)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** The queries of the dashboard, as Grafana sends them. */
function queries(): string[] {
  const { panels } = JSON.parse(dashboard) as { panels: { targets?: { expr: string }[] }[] }
  return panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'seqsvr').replaceAll('$instance', '.*'),
    ),
  )
}

describe('/metrics of a process with all fronts under load', () => {
  it('is what promtool takes for well-made', async () => {
    expect(await run(['check', 'metrics'], exposed)).toEqual([0, ''])
  })

  it('counts the ids of each front exactly', () => {
    expect(exposed).toContain('seqsvr_ids_issued_total{front="http"} 3000\n')
    expect(exposed).toContain('seqsvr_ids_issued_total{front="redis"} 10\n')
    expect(exposed).toContain('seqsvr_ids_issued_total{front="udp"} 1\n')
    expect(exposed).toContain('seqsvr_datagrams_received_total 1\n')
    expect(exposed).toContain('seqsvr_sequence_ids_issued_total{kind="named",sequence="orders"} 10\n')
    expect(exposed).toContain('seqsvr_ready 1\n')
  })

  it('is in docs/metrics.md, metric by metric, and nothing else is', () => {
    const metrics = metricsIn(exposed)
    const own = metrics.filter(({ name }) => name.startsWith('seqsvr_'))
    expect(rows(section('docs/metrics.md', 'Of ids'))).toEqual(
      own.map(({ name, type, labels, help }) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    )
    expect(rows(section('docs/metrics.md', 'Of the process'))).toEqual(
      metrics
        .filter((metric) => !own.includes(metric))
        .map(({ name, type, help }) => [`\`${name}\``, type, help]),
    )
  })
})

describe('the alerts', () => {
  it('are what Prometheus takes', async () => {
    const [code, output] = await run(['check', 'rules', RULES])
    expect([code, output]).toEqual([0, expect.stringContaining('SUCCESS')])
  })

  it('fire when they should, and not when they should not', async () => {
    const [code, output] = await run(['test', 'rules', 'test/deploy/prometheus-rules.test.yml'])
    expect([code, output]).toEqual([0, expect.stringContaining('SUCCESS')])
  })

  it('look at metrics that there are', () => {
    const exprs = [...rules.matchAll(/expr: ([\s\S]*?)\n {8}(?:for|labels):/g)].map(([, expr]) => expr)
    expect(exprs.length).toBeGreaterThan(10)
    const ofWorkers = rows(section('docs/workers.md', 'What the tree does as one')).map(([name]) =>
      (name as string).replaceAll('`', ''),
    )
    const known = new Set([...metricsIn(exposed).map(({ name }) => name), ...ofWorkers])
    expect(ofWorkers).toHaveLength(2)
    expect(namesIn(exprs.join('\n')).filter((name) => !known.has(name))).toEqual([])
  })

  it('each say how bad it is, what it means and what to do', () => {
    const { groups } = load(rules) as {
      groups: { rules: { alert: string; labels: unknown; annotations: unknown }[] }[]
    }
    for (const { alert, labels, annotations } of groups.flatMap((group) => group.rules)) {
      expect(labels, alert).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) })
      expect(annotations, alert).toEqual({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/.{80,}\.$/),
      })
    }
  })
})

describe('the dashboard', () => {
  it('asks for metrics that there are, in PromQL that Prometheus takes', async () => {
    const known = new Set(metricsIn(exposed).map(({ name }) => name))
    expect(queries().length).toBeGreaterThan(20)
    expect(
      queries()
        .flatMap(namesIn)
        .filter((name) => !known.has(name)),
    ).toEqual([])
    const recorded = queries().map((expr, n) => ({ record: `query:${n}`, expr }))
    const file = `${folder}/queries.yml`
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: recorded }] }))
    expect((await run(['check', 'rules', file]))[1]).toContain('SUCCESS')
  })

  it('shows every metric of ids but those that are for alerts and for looking closer', () => {
    const shown = new Set(queries().flatMap(namesIn))
    const unshown = metricsIn(exposed)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('seqsvr_') && !shown.has(name))
    expect(unshown).toEqual(['seqsvr_build_info', 'seqsvr_sequence_leased_to'])
  })
})

it('docs/metrics.md says which files to use', () => {
  for (const file of [RULES, DASHBOARD]) expect(page('docs/metrics.md')).toContain(file)
})
