import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** README.md and every page of docs/, by path. */
export const pages: ReadonlyMap<string, string> = new Map(
  ['README.md', ...readdirSync('docs').map((name) => join('docs', name))]
    .filter((path) => path.endsWith('.md'))
    .map((path) => [path, readFileSync(path, 'utf8')]),
)

export function page(path: string): string {
  const text = pages.get(path)
  if (text === undefined) throw new Error(`there is no ${path}`)
  return text
}

/** What stands between a heading and the next one of any level. */
export function section(path: string, heading: string): string {
  const [, after] = page(path).split(`\n## ${heading}\n`)
  if (after === undefined) throw new Error(`${path} has no heading "${heading}"`)
  return after.split(/\n#+ /)[0] as string
}

/** The cells of a section's tables, without their headings. */
export function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

/** Every line of code on a page: of fenced blocks, and the spans between backticks. */
export function codeOf(text: string): string[] {
  const fence = /^ *```.*\n([\s\S]*?)^ *```$/gm
  const fences = [...text.matchAll(fence)]
  const prose = text.replace(fence, '')
  const spans = [...prose.matchAll(/`([^`]+)`/g)]
  return [
    ...fences.flatMap(([, code]) => (code as string).split('\n').map((line) => line.trim())),
    ...spans.map(([, code]) => code as string),
  ]
}
