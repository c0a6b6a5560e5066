import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { plot } from './plot.ts'
import { ratioTo, type Spread, spread, turn } from './ratio.ts'
import type { Round, Suite, SuiteSettings, Turn } from './suite.ts'

/** Writes NAME.json (every turn), NAME.md (tables) and NAME.svg (plot) to a directory; returns the Markdown. */
export function writeReport(
  directory: string,
  suite: Suite,
  settings: SuiteSettings,
  rounds: readonly Round[],
): string {
  const markdown = report(suite, settings, rounds)
  const context = { title: suite.title, load: suite.load.description, machine: machine(), ...settings }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${suite.name}.md`), markdown)
  writeFileSync(join(directory, `${suite.name}.json`), `${JSON.stringify({ ...context, rounds }, null, 2)}\n`)
  writeFileSync(join(directory, `${suite.name}.svg`), plot(suite, rounds))
  return markdown
}

function report(suite: Suite, settings: SuiteSettings, rounds: readonly Round[]): string {
  const names = suite.contestants.map(({ name }) => name)
  const contestants = names.filter((name) => name !== suite.ceilings[0])
  const tables = suite.ceilings.map((ceiling) => ratios(ceiling, contestants, rounds))
  return [
    `# ${suite.title}`,
    `${suite.load.description}. ${settings.rounds} rounds; in each, every contestant has a turn of ` +
      `${settings.seconds} s in a fresh process. One core for the contestant, one for the load. ${machine()}.`,
    ...(suite.load.caveat === undefined ? [] : [`**${suite.load.caveat}.**`]),
    'Ratios are made within a round: median (least – greatest) over the rounds.',
    ...tables,
    '## Context: the figures behind the ratios',
    'They say more about the machine than about the contestants: compare them with nothing.',
    absolutes(names, rounds),
    `![Requests a second as a share of ${suite.ceilings.join(' and of ')}](${suite.name}.svg)\n`,
  ].join('\n\n')
}

function ratios(ceiling: string, names: readonly string[], rounds: readonly Round[]): string {
  const rows = names
    .filter((name) => name !== ceiling)
    .map((name) => [
      name,
      ...(['requestsPerSecond', 'cpuUsPerRequest', 'p50Us', 'p99Us'] as const).map((figure) =>
        cell(ratioTo(ceiling, name, figure, rounds), 2),
      ),
    ])
  return `## Against ${ceiling} = 1\n\n${table(['', 'requests/s', 'CPU per request', 'p50', 'p99'], rows)}`
}

function absolutes(names: readonly string[], rounds: readonly Round[]): string {
  const rows = names.map((name) => {
    const over = (figure: (turn: Turn) => number): Spread =>
      spread(rounds.map((round) => figure(turn(round, name))))
    return [
      name,
      cell(
        over(({ requestsPerSecond }) => requestsPerSecond / 1000),
        1,
      ),
      cell(
        over(({ cpuUsPerRequest }) => cpuUsPerRequest),
        1,
      ),
      cell(
        over(({ p50Us }) => p50Us / 1000),
        2,
      ),
      cell(
        over(({ p99Us }) => p99Us / 1000),
        2,
      ),
      String(rounds.reduce((sum, round) => sum + turn(round, name).errors, 0)),
    ]
  })
  return table(['', 'thousand requests/s', 'CPU µs per request', 'p50 ms', 'p99 ms', 'errors'], rows)
}

function cell({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} – ${max.toFixed(digits)})`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}

function machine(): string {
  const cores = cpus()
  return `Node ${process.versions.node}, ${cores.length} cores of ${cores[0]?.model.trim()}`
}
