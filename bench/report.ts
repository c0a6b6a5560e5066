import { ratioTo, type Spread, spread, turn } from './ratio.ts'
import type { Round, Suite, SuiteSettings, Turn } from './suite.ts'

const RATIOS = {
  requestsPerSecond: 'requests/s',
  cpuUsPerRequest: 'CPU per request',
  p50Us: 'p50',
  p99Us: 'p99',
}

interface Column {
  readonly head: string
  readonly digits: number
  readonly of: (turn: Turn) => number
}

const COLUMNS: readonly Column[] = [
  { head: 'requests/s', digits: 0, of: ({ requestsPerSecond }) => requestsPerSecond },
  { head: 'CPU µs per request', digits: 1, of: ({ cpuUsPerRequest }) => cpuUsPerRequest },
  { head: 'p50 ms', digits: 2, of: ({ p50Us }) => p50Us / 1000 },
  { head: 'p99 ms', digits: 2, of: ({ p99Us }) => p99Us / 1000 },
  { head: 'leases/s', digits: 1, of: ({ leasesPerSecond }) => leasesPerSecond },
  { head: 'transactions/s', digits: 1, of: ({ transactionsPerSecond }) => transactionsPerSecond },
  { head: 'RSS MB', digits: 0, of: ({ residentBytes }) => residentBytes / 1e6 },
]

/** The tables of a suite in Markdown. */
export function report(suite: Suite, settings: SuiteSettings, rounds: readonly Round[]): string {
  const names = suite.contestants.map(({ name }) => name)
  const contestants = names.filter((name) => name !== suite.ceilings[0])
  return [
    `# ${suite.title}`,
    `${suite.load.description}. ${settings.rounds} rounds; in each, every contestant has a turn of ` +
      `${settings.seconds} s in a fresh process. One core for the contestant, one for the load.`,
    ...(suite.load.caveat === undefined ? [] : [`**${suite.load.caveat}.**`]),
    'Ratios are made within a round: median (least – greatest) over the rounds.',
    ...(suite.aim === undefined ? [] : [`Aim: ${suite.aim}.`]),
    ...suite.ceilings.map((ceiling) => ratios(ceiling, contestants, rounds)),
    '## Context: the figures behind the ratios',
    'They say more about the machine than about the contestants: compare them with nothing.',
    absolutes(names, rounds),
    `![Requests a second as a share of ${suite.ceilings.join(' and of ')}](${suite.name}.svg)`,
  ].join('\n\n')
}

function ratios(ceiling: string, names: readonly string[], rounds: readonly Round[]): string {
  const rows = names
    .filter((name) => name !== ceiling)
    .map((name) => [
      name,
      ...(Object.keys(RATIOS) as (keyof typeof RATIOS)[]).map((figure) =>
        cell(ratioTo(ceiling, name, figure, rounds), 2),
      ),
    ])
  return `## Against ${ceiling} = 1\n\n${table(['', ...Object.values(RATIOS)], rows)}`
}

function absolutes(names: readonly string[], rounds: readonly Round[]): string {
  const turns = (name: string): Turn[] => rounds.map((round) => turn(round, name))
  const known = COLUMNS.filter(({ of }) => names.flatMap(turns).some((one) => !Number.isNaN(of(one))))
  const rows = names.map((name) => [
    name,
    ...known.map(({ digits, of }) => cell(spread(turns(name).map(of)), digits)),
    String(turns(name).reduce((sum, { errors }) => sum + errors, 0)),
  ])
  return table(['', ...known.map(({ head }) => head), 'errors'], rows)
}

/** A median with its extremes, or a dash where nothing is known. */
export function cell({ median, min, max }: Spread, digits: number): string {
  if (Number.isNaN(median)) return '–'
  return `${median.toFixed(digits)} (${min.toFixed(digits)} – ${max.toFixed(digits)})`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}
