import { existsSync } from 'node:fs'
import {
  CONFIG_FILE,
  type ConfigError,
  type ConfigSources,
  flagOf,
  isKubernetesLink,
} from '../../config/load.ts'
import { configKeys } from '../../config/schema.ts'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'

/** What is looked at of the configuration and of this machine. */
export const configFindings = {
  config: {
    severities: ['failed'],
    why: 'an instance with this configuration does not start',
  },
  'system-clock': {
    severities: ['warning'],
    why: 'no id of a sequence depends on the clock, but rules print it, and their periods follow it',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(configFindings)

/** No instance of this program runs before it was written, and none is expected to after this. */
const YEAR_MIN = 2025
const YEAR_MAX = 2100

/** Where a valid configuration came from, and whether the clock of this machine makes sense. */
export function checkConfig({ file, env, flags }: ConfigSources, nowMs: number): Finding[] {
  const variables = configKeys
    .map((key) => key.env)
    .filter((name) => (env[name] ?? '') !== '' && !isKubernetesLink(name, env[name] as string))
  const flagged = Object.keys(flags).filter((path) => flags[path] !== undefined)
  const sources = [
    file ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined),
    variables.length > 0 ? `the environment (${variables.join(', ')})` : undefined,
    flagged.length > 0 ? `flags (${flagged.map((path) => `--${flagOf(path)}`).join(', ')})` : undefined,
  ].filter((source) => source !== undefined)
  return [
    ok('config', `the configuration is valid; it comes from ${sources.join(', ') || 'defaults alone'}`),
    judgeClock(nowMs),
  ]
}

/** What is wrong with a configuration. */
export function configProblems({ problems }: ConfigError): Finding[] {
  return problems.map(({ path, message }) =>
    bad('config', 'failed', `${path}: ${message}`, 'mend the configuration and check again'),
  )
}

function judgeClock(nowMs: number): Finding {
  const now = new Date(nowMs)
  const year = now.getUTCFullYear()
  if (year >= YEAR_MIN && year < YEAR_MAX)
    return ok('system-clock', `it is ${now.toISOString()} on this machine`)
  return bad('system-clock', 'warning', `it is ${now.toISOString()} on this machine`, 'set the clock by NTP')
}
