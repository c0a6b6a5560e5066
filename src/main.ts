#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { check } from './commands/check.ts'
import { EXIT_CONFIG, EXIT_OK, EXIT_USAGE } from './commands/exit-codes.ts'
import { init } from './commands/init.ts'
import { serve } from './commands/serve.ts'
import { ConfigError, loadConfig } from './config/load.ts'
import { type Config, configKeys } from './config/schema.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('seqsvr')
  .description('A sequence server: unique 64-bit ids over HTTP, leased from MySQL or the embedded SQLite.')
  .version(version)
  .exitOverride()

command('serve', 'run an instance (the default command)', (read) => serve(read(), read), { isDefault: true })
command('check', 'say whether the configuration and the store are fit to serve', (read) => check(read()))
command('init', 'make the tables and agree on the step, then end', (read) => init(read()))

try {
  await program.parseAsync()
} catch (error) {
  process.exit(exitCodeOf(error))
}

/** Adds a command that takes every key of the configuration as a flag, and ends the process with its exit code. */
function command(
  name: string,
  description: string,
  run: (readConfig: () => Config) => Promise<number>,
  options: { isDefault?: boolean } = {},
): void {
  const added = program
    .command(name, options)
    .description(description)
    .option('--config <file>', 'configuration file (default: config.yml if there is one)')
  // Secrets on a command line are visible to every user of the machine.
  for (const { path, description } of configKeys.filter(({ secret }) => !secret))
    added.addOption(new Option(`--${flagOf(path)} <value>`, description))
  added.action(async (values: Record<string, string>) => {
    const flags = Object.fromEntries(configKeys.map(({ path }) => [path, values[camelCase(flagOf(path))]]))
    const readConfig = () => loadConfig({ file: values.config, env: process.env, flags })
    process.exit(await run(readConfig))
  })
}

function flagOf(path: string): string {
  return path.replace(/[._]/g, '-')
}

function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** Prints what a person must know and gives the exit code; a bug is thrown on, with its stack. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
  if (!(error instanceof ConfigError)) throw error
  for (const { path, message } of error.problems) console.error(`seqsvr: ${path}: ${message}`)
  return EXIT_CONFIG
}
