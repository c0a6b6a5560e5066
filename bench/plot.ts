import { ratioTo } from './ratio.ts'
import type { Round, Suite } from './suite.ts'

const WIDTH = 760
const LABEL_WIDTH = 190
const VALUE_WIDTH = 60
const BAR_HEIGHT = 20
const ROW_HEIGHT = 30
const TITLE_HEIGHT = 40
/** Middle tones with a contrast of at least 4 against white and against a dark page alike. */
const INK = '#727a85'
const BAR = '#3b82c4'

/**
 * Requests a second as shares of each ceiling: a bar to the median, a whisker from the least to the greatest
 * share of a round, a line at the ceiling.
 */
export function plot(suite: Suite, rounds: readonly Round[]): string {
  const groups = suite.ceilings.map((ceiling) => ({
    title: `${suite.title}: requests a second, ${ceiling} = 1`,
    rows: suite.contestants
      .filter(({ name }) => name !== ceiling && name !== suite.ceilings[0])
      .map(({ name }) => ({ name, ratio: ratioTo(ceiling, name, 'requestsPerSecond', rounds) })),
  }))
  const greatest = Math.max(1, ...groups.flatMap(({ rows }) => rows.map(({ ratio }) => ratio.max)))
  const x = (ratio: number): number =>
    Math.round(LABEL_WIDTH + (ratio / greatest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH))

  let y = 0
  const shapes: string[] = []
  for (const { title, rows } of groups) {
    shapes.push(`<text x="0" y="${y + 24}" font-weight="bold">${escapeXml(title)}</text>`)
    y += TITLE_HEIGHT
    const top = y
    for (const { name, ratio } of rows) {
      const middle = y + BAR_HEIGHT / 2
      shapes.push(
        `<text x="${LABEL_WIDTH - 10}" y="${middle + 5}" text-anchor="end">${escapeXml(name)}</text>`,
        `<rect x="${x(0)}" y="${y}" width="${x(ratio.median) - x(0)}" height="${BAR_HEIGHT}" fill="${BAR}"/>`,
        `<path d="M${x(ratio.min)} ${middle}H${x(ratio.max)}M${x(ratio.min)} ${middle - 5}v10M${x(ratio.max)} ${middle - 5}v10" stroke="${INK}" stroke-width="2"/>`,
        `<text x="${x(Math.max(ratio.max, 1)) + 8}" y="${middle + 5}">${ratio.median.toFixed(2)}</text>`,
      )
      y += ROW_HEIGHT
    }
    shapes.push(`<path d="M${x(1)} ${top - 5}V${y - 5}" stroke="${INK}" stroke-dasharray="4 3"/>`)
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="14" fill="${INK}">`,
    ...shapes,
    '</svg>\n',
  ].join('\n')
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
