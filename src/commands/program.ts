import { Command, InvalidArgumentError, Option } from 'commander'
import { type ConfigSources, flagOf, loadConfig, nearestOf } from '../config/load.ts'
import { type Config, configKeys } from '../config/schema.ts'
import { check } from './check/check.ts'
import { init } from './init.ts'
import { type SequenceTask, sequence } from './sequence.ts'
import { serve } from './serve.ts'
import { verify } from './verify.ts'
import { version } from './version.ts'
import { whois } from './whois.ts'

type Values = Readonly<Record<string, string | bigint | boolean | undefined>>

/** The command line. Every command takes every key of the configuration as a flag, and ends the process. */
export function createProgram(): Command {
  const program = new Command('seqsvr')
    .description('A sequence server: unique 64-bit ids over HTTP, leased from MySQL or the embedded SQLite.')
    .version(version())
    .exitOverride()

  add(program, 'serve', 'run an instance (the default command)', { isDefault: true })
    .allowExcessArguments()
    .action(async (values: Values, command: Command) => {
      if (command.args[0] !== undefined) refuseArgument(command.args[0], program)
      process.exit(await serve(read(values), () => read(values)))
    })
  add(program, 'check', 'say whether the configuration and the store are fit to serve, and what is unsafe', {
    options: [new Option('--json', 'print one JSON object')],
  }).action(async (values: Values) => process.exit(await check(sourcesOf(values), values.json === true)))
  add(program, 'init', 'make the tables and agree on the step, then end').action(async (values: Values) =>
    process.exit(await init(read(values))),
  )
  add(program, 'whois <id>', 'say which instance an id was leased to, and when', {
    options: [new Option('--sequence <name>', 'of a named sequence, instead of the generator')],
  }).action(async (id: string, { sequence, ...values }: Values, command: Command) => {
    if (!/^\d{1,19}$/.test(id)) command.error('error: the id must be a whole number')
    process.exit(await whois(read(values), BigInt(id), sequence as string | undefined))
  })
  add(program, 'verify', 'prove that no two leases on record overlap, and list the gaps between them').action(
    async (values: Values) => process.exit(await verify(read(values))),
  )
  addSequenceCommands(program.command('sequence').description('administer the named sequences of the store'))
  return program
}

/** What `serve`, the default command, was given is a command that is misspelt or in a wrong place: it takes nothing itself. */
function refuseArgument(argument: string, program: Command): never {
  const names = program.commands.map((command) => command.name())
  if (program.args[0] === 'serve') program.error("error: too many arguments for 'serve'")
  if (names.includes(argument))
    program.error(`error: put flags after the command: seqsvr ${argument} ${program.args[0]} …`)
  const nearest = nearestOf(argument, names)
  const hint = nearest === undefined ? `The commands are ${names.join(', ')}` : `Did you mean ${nearest}?`
  return program.error(`error: unknown command '${argument}' (${hint})`)
}

function addSequenceCommands(parent: Command): void {
  const perform = async (values: Values, task: SequenceTask) =>
    process.exit(await sequence(read(values), task))

  add(parent, 'list', 'print every sequence: max_id (the first id not leased yet), step and name').action(
    (values: Values) => perform(values, { action: 'list' }),
  )
  add(parent, 'create <name>', 'make a sequence', {
    without: 'step',
    options: [
      ids('--start <id>', 'its first id (default: 1)'),
      ids('--step <ids>', 'ids in its smallest lease (default: 1000)'),
    ],
  }).action((name: string, { start, step, ...values }: Values) =>
    perform(values, {
      action: 'create',
      name,
      ...(start !== undefined && { start: start as bigint }),
      ...(step !== undefined && { step: Number(step) }),
    }),
  )
  add(parent, 'advance [name]', 'move a sequence forward, or with --all every one and the generator', {
    options: [
      ids('--to <id>', 'its next lease starts there or later').conflicts(['by', 'all']),
      ids('--by <count>', 'so many ids past all that was leased'),
      new Option('--all', 'every sequence and the generator'),
    ],
  }).action((name: string | undefined, values: Values, command: Command) =>
    perform(values, advanceTask(name, values, command)),
  )
  add(parent, 'retire <name>', 'remove a sequence; made again, it starts above all that it leased').action(
    (name: string, values: Values) => perform(values, { action: 'retire', name }),
  )
}

function advanceTask(name: string | undefined, values: Values, command: Command): SequenceTask {
  const { by, to, all } = values as { by?: bigint; to?: bigint; all?: boolean }
  if ((name === undefined) !== (all === true)) return command.error('error: give a name, or --all')
  if (name === undefined)
    return by === undefined ? command.error('error: --all needs --by') : { action: 'advance all', by }
  if (to !== undefined) return { action: 'advance', name, to }
  return by === undefined ? command.error('error: give --to or --by') : { action: 'advance', name, by }
}

/** A command with options of its own, then a flag for each key of the configuration but the one it goes `without`. */
function add(
  parent: Command,
  usage: string,
  description: string,
  { isDefault = false, without = '', options = [] as readonly Option[] } = {},
): Command {
  const command = parent.command(usage, { isDefault }).description(description)
  for (const option of options) command.addOption(option)
  command.option('--config <file>', 'configuration file (default: config.yml if there is one)')
  for (const { path, env, description, secret } of configKeys.filter(({ path }) => path !== without)) {
    const flag = flagOf(path)
    if (!secret) command.addOption(new Option(`--${flag} <value>`, description))
    else {
      command.addOption(new Option(`--${flag} [value]`).hideHelp())
      // Secrets on a command line are visible to every user of the machine.
      command.on(`option:${flag}`, () =>
        command.error(`error: a secret has no flag: use ${env} or --${flag}-file`),
      )
    }
  }
  return command
}

function ids(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
    return BigInt(text)
  })
}

function read(values: Values): Config {
  return loadConfig(sourcesOf(values))
}

function sourcesOf(values: Values): ConfigSources {
  const flags = Object.fromEntries(configKeys.map(({ path }) => [path, values[camelCase(flagOf(path))]]))
  return { file: values.config as string | undefined, env: process.env, flags }
}

function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
