import { faultKinds } from './faults.ts'
import type { FaultRecord } from './nemesis.ts'
import type { Report } from './report.ts'

const WIDTH = 1_000
const LABEL_WIDTH = 170
const CHART_HEIGHT = 80
const CHART_GAP = 26
const LANE_HEIGHT = 18
const AXIS_HEIGHT = 24
/** Points of a curve: more would lie on the same pixels. */
const POINTS_MAX = 400
const TICKS_MAX = 10
const TICK_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]
/** Middle tones with enough contrast against white and against a dark page alike. */
const INK = '#727a85'
const CURVE = '#3b82c4'
const FAULT = '#c4573b'
const RECOVERY = '#c99a2e'

const CURVES = [
  ['nginx', 'through nginx'],
  ['mysql', 'direct, on MariaDB'],
  ['sqlite', 'direct, on SQLite'],
] as const

/**
 * A run from left to right as SVG: requests acknowledged in each second, and below them a lane for each kind of fault, with a bar for the
 * fault and a lighter one for the recovery from it.
 */
export function timelineOf({ faults, samples, seconds }: Report): string {
  const x = (ms: number): string =>
    (LABEL_WIDTH + (ms / 1000 / Math.max(1, seconds)) * (WIDTH - LABEL_WIDTH)).toFixed(1)
  const shapes: string[] = []
  let y = 0
  for (const [place, label] of CURVES) {
    const rates = thinOut(samples.map((sample) => sample[place]))
    const greatest = Math.max(1, ...rates)
    const bottom = y + CHART_GAP + CHART_HEIGHT
    const points = rates.map((rate, i) => {
      const ms = ((i + 0.5) / rates.length) * seconds * 1000
      return `${x(ms)},${(bottom - (rate / greatest) * CHART_HEIGHT).toFixed(1)}`
    })
    shapes.push(
      `<text x="0" y="${y + CHART_GAP + 12}">${label}</text>`,
      `<text x="0" y="${y + CHART_GAP + 30}">up to ${Math.round(greatest)}/s</text>`,
      `<path d="M${LABEL_WIDTH} ${bottom}H${WIDTH}" stroke="${INK}" stroke-width="0.5"/>`,
      `<polyline points="${points.join(' ')}" fill="none" stroke="${CURVE}"/>`,
    )
    y = bottom
  }
  y += CHART_GAP
  for (const name of Object.keys(faultKinds)) {
    const records = faults.filter((fault) => fault.name === name)
    if (records.length === 0) continue
    shapes.push(`<text x="0" y="${y + 12}">${name}</text>`, ...records.map((record) => barOf(record, x, y)))
    y += LANE_HEIGHT
  }
  const tick = TICK_SECONDS.find((candidate) => seconds / candidate <= TICKS_MAX) ?? seconds
  for (let at = 0; at <= seconds; at += tick)
    shapes.push(
      `<path d="M${x(at * 1000)} ${CHART_GAP}V${y}" stroke="${INK}" stroke-width="0.3"/>`,
      `<text x="${x(at * 1000)}" y="${y + 16}">${tick < 60 ? `${at} s` : `${at / 60} min`}</text>`,
    )
  const height = y + AXIS_HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH + 40}" height="${height}" viewBox="0 0 ${WIDTH + 40} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    ...shapes,
    '</svg>\n',
  ].join('\n')
}

function barOf(
  { target, startMs, endMs, recoveryMs }: FaultRecord,
  x: (ms: number) => string,
  y: number,
): string {
  const recoveredMs = endMs + (recoveryMs ?? 0)
  const bar = (fromMs: number, toMs: number, fill: string) =>
    `<rect x="${x(fromMs)}" y="${y + 2}" width="${Math.max(1, Number(x(toMs)) - Number(x(fromMs)))}" height="${LANE_HEIGHT - 6}" fill="${fill}"/>`
  return `<g><title>${target}, recovered after ${recoveryMs ?? 'more than it was waited'} ms</title>${bar(endMs, recoveredMs, RECOVERY)}${bar(startMs, endMs, FAULT)}</g>`
}

/** Means of neighbours, so that no more than POINTS_MAX are left. */
function thinOut(values: readonly number[]): number[] {
  const size = Math.ceil(values.length / POINTS_MAX)
  const means: number[] = []
  for (let i = 0; i < values.length; i += size) {
    const group = values.slice(i, i + size)
    means.push(group.reduce((sum, value) => sum + value, 0) / group.length)
  }
  return means
}
