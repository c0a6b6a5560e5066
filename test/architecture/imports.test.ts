import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = 'src'

/** Which folders a folder may import from, besides itself. '.' is the files directly in src. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  // Published for users' processes: nothing of the server may come along.
  client: ['core'],
  // For the shape of what is told of each script.
  rules: ['core', 'status'],
  status: ['core'],
  'store/mysql': ['core', 'store'],
  'store/sqlite': ['core', 'store'],
  store: ['core'],
  'fronts/http': ['core', 'fronts', 'fronts/http/openapi', 'fronts/http/page', 'rules', 'status'],
  'fronts/http/openapi': ['core', 'fronts', 'fronts/http', 'rules'],
  'fronts/http/page': ['core', 'fronts', 'fronts/http', 'status'],
  'fronts/redis': ['core', 'fronts', 'status'],
  'fronts/udp': ['core', 'fronts', 'rules', 'status'],
  fronts: ['core', 'rules', 'status'],
  // For the defaults of limits alone.
  config: ['core', 'fronts/redis', 'rules'],
  'commands/check': ['core', 'rules', 'config', 'commands'],
  // The instance is the same, alone or among others.
  'commands/workers': ['core', 'status', 'fronts/http', 'config', 'commands', '.'],
  commands: [
    'commands/check',
    'commands/workers',
    'core',
    'rules',
    'status',
    'store/mysql',
    'store/sqlite',
    'fronts',
    'fronts/http',
    'fronts/redis',
    'fronts/udp',
    'config',
    '.',
  ],
  '.': ['core', 'commands', 'config'],
}

/** Packages and Node modules, by the only folders that may import them. */
const OWNERS: readonly (readonly [pattern: RegExp, folders: readonly string[]])[] = [
  [/^(hono|@hono\/node-server)/, ['fronts/http', 'fronts/http/page']],
  [/^mysql2/, ['store/mysql']],
  [/^(js-yaml|fastest-levenshtein)/, ['config']],
  [/^wasmoon/, ['rules']],
  [/^@platformatic\/prom-client/, ['fronts/http']],
  [/^zod/, ['config', 'fronts/http', 'fronts/http/openapi']],
  [
    /^node:(net|http|dgram)$/,
    [
      'fronts',
      'fronts/http',
      'fronts/http/page',
      'fronts/redis',
      'fronts/udp',
      'config',
      'commands',
      'store/mysql',
    ],
  ],
]

interface Import {
  readonly file: string
  readonly folder: string
  readonly target: string
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const targets = text.matchAll(
    /^\s*(?:import|export)\s(?:[^'";]*\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...targets].map(([, statement, call]) => ({
    file,
    folder: relative(SRC, dirname(file)) || '.',
    target: (statement ?? call) as string,
  }))
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}

const imports = filesBelow(SRC).flatMap(importsOf)

describe('imports point one way', () => {
  it('finds imports in every layer', () => {
    expect(new Set(imports.map(({ folder }) => folder))).toEqual(new Set(Object.keys(ARROWS)))
  })

  it('no file imports against the arrows', () => {
    const against = imports
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, folder, target }) => ({
        file,
        folder,
        to: relative(SRC, dirname(join(dirname(file), target))) || '.',
      }))
      .filter(({ folder, to }) => to !== folder && !ARROWS[folder]?.includes(to))
      .map(({ file, to }) => `${file} imports from ${to}`)
    expect(against).toEqual([])
  })

  it.each(['core', 'client'])('the %s imports no package and no Node module', (name) => {
    const foreign = imports.filter(({ folder, target }) => folder === name && !target.startsWith('.'))
    expect(foreign).toEqual([])
  })

  it('I10: the core knows no time but the clock it is given', () => {
    const clocks = /\b(Date\b|performance\b|setTimeout\b|setInterval\b|setImmediate\b|process\b)/
    const users = filesBelow('src/core').filter((file) =>
      clocks.test(withoutComments(readFileSync(file, 'utf8'))),
    )
    expect(users).toEqual([])
  })

  it('packages stay in the folders that own them', () => {
    const strays = imports.filter(({ folder, target }) =>
      OWNERS.some(([pattern, folders]) => pattern.test(target) && !folders.includes(folder)),
    )
    expect(strays).toEqual([])
  })

  it('every imported package is a dependency', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
    const known = new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...builtinModules])
    const packages = imports
      .map(({ target }) => target)
      .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
      .map((target) =>
        target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/'),
      )
    expect(packages.filter((name) => !known.has(name))).toEqual([])
  })
})
