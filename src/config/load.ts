import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { load } from 'js-yaml'
import { type Config, configKeys, configSchema, configSections } from './schema.ts'

/** One thing that is wrong: where (`mysql.port`, an environment variable, or a file), what, and what is allowed. */
export interface ConfigProblem {
  readonly path: string
  readonly message: string
}

/** All that is wrong with a configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'))
    this.problems = problems
  }
}

export interface ConfigSources {
  /** Must exist when given. Otherwise `config.yml` is read if there is one. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** By dotted path: `{ 'log.level': 'debug' }`. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Where relative paths start; the process's directory unless given. */
  readonly cwd?: string
}

/** A source's values by dotted path. A block of keys itself is among them, as undefined, when it was written down. */
type Layer = Map<string, { readonly value: unknown; readonly from: string }>

/** What is read when no file is named. */
export const CONFIG_FILE = 'config.yml'

/**
 * Reads the configuration: defaults, then the file, then the environment, then flags; later wins. Reads nothing but the
 * file and the files that hold secrets. Throws a ConfigError with every problem.
 */
export function loadConfig({ file, env, flags, cwd = process.cwd() }: ConfigSources): Config {
  const problems: ConfigProblem[] = []
  const values: Layer = new Map()
  for (const layer of [
    fileLayer(file, cwd, problems),
    environmentLayer(env, problems),
    flagsLayer(flags, problems),
  ])
    overlay(values, layer, problems)
  readSecrets(values, cwd, problems)

  const result = configSchema.safeParse(nested(values))
  for (const issue of result.error?.issues ?? []) {
    const path = issue.path.join('.')
    if (!problems.some((problem) => problem.path === path))
      problems.push({ path, message: explain(path, issue.message, values, file ?? CONFIG_FILE) })
  }
  if (problems.length > 0 || !result.success) throw new ConfigError(problems)
  return deepFreeze(result.data)
}

function fileLayer(file: string | undefined, cwd: string, problems: ConfigProblem[]): Layer {
  const layer: Layer = new Map()
  const name = file ?? CONFIG_FILE
  let document: unknown
  try {
    const content = readFileSync(resolve(cwd, name), 'utf8')
    // js-yaml throws on a file without content, which only means that all is left at its default.
    document = /^\s*[^\s#]/m.test(content) ? load(content) : {}
  } catch (error) {
    if (file !== undefined || (error as NodeJS.ErrnoException).code !== 'ENOENT')
      problems.push({ path: name, message: unreadable(error, resolve(cwd, name)) })
    return layer
  }
  if (isBlock(document)) readBlock(document, '', layer, problems)
  else if (document !== null && document !== undefined)
    problems.push({ path: name, message: 'must hold keys and values, such as `port: 8000`' })
  return layer
}

function readBlock(block: object, prefix: string, layer: Layer, problems: ConfigProblem[]): void {
  for (const [name, value] of Object.entries(block)) {
    const path = prefix + name
    if (configSections.has(path)) {
      layer.set(path, { value: undefined, from: '' })
      if (isBlock(value)) readBlock(value, `${path}.`, layer, problems)
      else if (value !== null) problems.push({ path, message: 'must be a block of keys and values' })
    } else if (!configKeys.some((key) => key.path === path)) {
      const siblings = [...configKeys.map((key) => key.path), ...configSections]
        .filter((known) => known.startsWith(prefix) && !known.slice(prefix.length).includes('.'))
        .map((known) => known.slice(prefix.length))
      problems.push({ path, message: `unknown key \`${name}\`${suggestion(name, siblings)}` })
    } else if (value !== null) {
      // A key with nothing behind it is one that was not given.
      layer.set(path, { value, from: '' })
    }
  }
}

function environmentLayer(env: ConfigSources['env'], problems: ConfigProblem[]): Layer {
  const layer: Layer = new Map()
  for (const [name, value] of Object.entries(env)) {
    // An empty variable is one that was not given: what `${NAME:-}` in a compose file leaves behind.
    if (!name.startsWith('SEQSVR_') || name.startsWith('SEQSVR_TEST_') || value === undefined || value === '')
      continue
    if (isKubernetesLink(name, value)) continue
    const key = configKeys.find((known) => known.env === name)
    if (key !== undefined) layer.set(key.path, { value, from: name })
    else {
      const known = configKeys.map(({ env }) => env)
      problems.push({
        path: name,
        message: `unknown environment variable${suggestion(name, known)}`,
      })
    }
  }
  return layer
}

/**
 * Kubernetes tells each container of a service called `seqsvr` (or `seqsvr-…`) in variables of our own prefix where that
 * service is: SEQSVR_SERVICE_HOST, SEQSVR_PORT=tcp://10.0.0.1:8000, SEQSVR_PORT_8000_TCP_ADDR. They are not settings.
 */
export function isKubernetesLink(name: string, value: string): boolean {
  return (
    /^SEQSVR_(\w+_)?SERVICE_(HOST|PORT)(_\w+)?$/.test(name) ||
    /^SEQSVR_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  )
}

function flagsLayer(flags: ConfigSources['flags'], problems: ConfigProblem[]): Layer {
  const layer: Layer = new Map()
  for (const [path, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const known = configKeys.map((key) => key.path)
    if (known.includes(path)) layer.set(path, { value, from: `--${flagOf(path)}` })
    else problems.push({ path, message: `unknown key \`${path}\`${suggestion(path, known)}` })
  }
  return layer
}

/** Later wins, where a secret and the file that holds it are one setting. */
function overlay(values: Layer, layer: Layer, problems: ConfigProblem[]): void {
  for (const { path } of configKeys.filter(({ secret }) => secret)) {
    const fromFile = `${path}_file`
    if (layer.has(path) && layer.has(fromFile))
      problems.push({ path: fromFile, message: `is given as well as ${path}; give one of them` })
    else if (layer.has(path)) values.delete(fromFile)
  }
  for (const [path, entry] of layer) values.set(path, entry)
}

function readSecrets(values: Layer, cwd: string, problems: ConfigProblem[]): void {
  for (const { path } of configKeys.filter(({ secret }) => secret)) {
    const fromFile = `${path}_file`
    const file = values.get(fromFile)?.value
    if (typeof file !== 'string' || file === '') continue
    try {
      const value = readFileSync(resolve(cwd, file), 'utf8').replace(/\r?\n$/, '')
      values.set(path, { value, from: file })
    } catch (error) {
      problems.push({ path: fromFile, message: unreadable(error, resolve(cwd, file)) })
    }
  }
}

function nested(values: Layer): object {
  const root: Record<string, unknown> = {}
  for (const [path, { value }] of values) {
    let block = root
    const names = path.split('.')
    const last = names.pop() as string
    for (const name of names) {
      block[name] ??= {}
      block = block[name] as Record<string, unknown>
    }
    if (configSections.has(path)) block[last] ??= {}
    else block[last] = value
  }
  return root
}

function explain(path: string, message: string, values: Layer, file: string): string {
  const from = values.get(path)?.from
  if (from) return `${message} (from ${from})`
  const env = configKeys.find((key) => key.path === path)?.env
  return message === 'is missing' && env !== undefined
    ? `is missing; set it in ${file} or as ${env}`
    : message
}

/** The flag of a key, without the dashes in front: `log-level` of `log.level`. */
export function flagOf(path: string): string {
  return path.replace(/[._]/g, '-')
}

/** Why a file cannot be read, for people. `path` is absolute. */
export function unreadable(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? `there is no file ${path}` : `cannot be read: ${message}`
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known)
  return nearest === undefined ? `; known are ${known.join(', ')}` : `; did you mean \`${nearest}\`?`
}

/** The one that was probably meant, if any was. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const nearest = closest(name, known)
  return distance(name, nearest) <= Math.max(2, name.length / 3) ? nearest : undefined
}

function isBlock(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
