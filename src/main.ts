#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EXIT_CONFIG, EXIT_OK, EXIT_USAGE } from './commands/exit-codes.ts'
import { createProgram } from './commands/program.ts'
import { ConfigError } from './config/load.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exit(exitCodeOf(error))
}

/** Prints what a person must know and gives the exit code; a bug is thrown on, with its stack. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
  if (!(error instanceof ConfigError)) throw error
  for (const { path, message } of error.problems) console.error(`seqsvr: ${path}: ${message}`)
  return EXIT_CONFIG
}
