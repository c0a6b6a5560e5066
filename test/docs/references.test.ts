import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../src/commands/program.ts'
import { codeOf, page, pages } from './markdown.ts'

const program = createProgram()

describe('what the documentation refers to', () => {
  it.each([...pages.keys()])('every relative link in %s leads to a file, and to a heading of it', (path) => {
    const broken = [...page(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^\w+:/.test(target) && !leadsSomewhere(path, target))
    expect(broken).toEqual([])
  })

  it('every test that docs/guarantees.md names exists', () => {
    const items = page('docs/guarantees.md')
      .split(/^(?=- |#)/m)
      .filter((item) => item.startsWith('- [`test/'))
    const named = items.flatMap((item) => {
      const [, file] = /^- \[`([^`]+)`\]/.exec(item) as unknown as [string, string]
      return [...item.matchAll(/"([^"]+)"/g)].map(([, name]) => [file, (name as string).replace(/\s+/g, ' ')])
    })
    expect(named.length).toBeGreaterThan(40)
    const missing = named.filter(
      ([file, name]) => !readFileSync(file as string, 'utf8').includes(name as string),
    )
    expect(missing).toEqual([])
  })

  it('every command that the documentation names exists, with its flags', () => {
    const unknown = [...pages.values()]
      .flatMap(codeOf)
      .filter((code) => /^(\$ )?(\w+=\S+ )*seqsvr( |$)/.test(code) && !exists(code))
    expect(unknown).toEqual([])
  })

  it('every command is in the documentation', () => {
    const code = [...pages.values()].flatMap(codeOf)
    const names = program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
    )
    expect(names).toContain('sequence advance')
    expect(names.filter((name) => !code.some((line) => line.includes(`seqsvr ${name}`)))).toEqual([])
  })
})

function leadsSomewhere(from: string, target: string): boolean {
  const [path, anchor] = target.split('#') as [string, string | undefined]
  const file = path === '' ? from : join(dirname(from), path)
  if (!existsSync(file)) return false
  return anchor === undefined || anchors(readFileSync(file, 'utf8')).includes(anchor)
}

/** As GitHub makes them of headings. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /g, '-'),
  )
}

function exists(code: string): boolean {
  const words = code.replace(/^.*?seqsvr ?/, '').split(/\s+/)
  let command: (typeof program.commands)[number] = program
  for (const word of words) {
    const inner = command.commands.find((known) => known.name() === word)
    if (inner === undefined) {
      if (command.commands.length > 0 && /^\w/.test(word)) return false
      break
    }
    command = inner
  }
  // Without a command it is serve.
  const { options } = command === program ? (program.commands[0] as typeof command) : command
  const flags = new Set(['--help', '--version', ...options.map(({ long }) => long)])
  return words.every((word) => !word.startsWith('--') || flags.has(word.split('=')[0]))
}
