import type { SequenceError } from '../../core/errors.ts'
import { array, err, failure, NIL, type Protocol, type Reply } from './reply.ts'

/** What commands see and change of the connection that they came by. */
export interface Session {
  readonly id: number
  protocol: Protocol
  authenticated: boolean
  /** The client's name for itself; empty until it gives one. */
  name: string
  /** Ends the connection once the reply is sent. */
  quit(): void
  /** Ends the connection at once, without a reply. */
  cut(): void
  /** Takes note of a command that failed. */
  failed(error: SequenceError): void
}

export interface Command {
  /** As Redis counts: the name is one, and a negative number is the least. */
  readonly arity: number
  /** For COMMAND: the first argument that is a key, the last one (-1: of all), and the distance between two. */
  readonly keys?: readonly [first: number, last: number, step: number]
  readonly summary: string
  /** Whether a client may send it before it has authenticated. */
  readonly beforeAuthentication?: true
  /**
   * Whether the same bytes again would mean: one more id of the same sequence, sent as this type. Then the connection
   * need not read them again.
   */
  readonly repeats?: 'bulk' | 'integer'
  /** Looked at where there is a second word; a command that has no meaning without one asks for two in `arity`. */
  readonly subcommands?: CommandTable
  /** May throw or reject with a SequenceError. Arguments are views of memory that changes once it returns: what is needed after an `await` is read before. */
  run(args: readonly Buffer[], session: Session): Reply | Promise<Reply>
}

/** Commands by their names in small letters. */
export type CommandTable = ReadonlyMap<string, Command>

export function commandTable(commands: Readonly<Record<string, Command>>): CommandTable {
  return new Map(Object.entries(commands))
}

/**
 * A web page can make a browser send HTTP here, with commands in the body. As redis-server does, the connection ends
 * at the first line or the first header.
 */
const httpRequest: Command = {
  arity: -1,
  beforeAuthentication: true,
  summary: 'Ends the connection',
  run(_args, session) {
    session.cut()
    return NIL
  },
}

/** How much redis-server quotes of a command that it does not know. */
const QUOTED_LENGTH_MAX = 128

/** The command that `args` name, or the error that redis-server would answer with. */
export function findCommand(
  commands: CommandTable,
  args: readonly Buffer[],
  authenticated: boolean,
): Command | Reply {
  let name = nameOf(args[0] as Buffer)
  let command = commands.get(name)
  if (command === undefined) return name === 'post' || name === 'host:' ? httpRequest : unknownCommand(args)
  if (command.subcommands !== undefined && args[1] !== undefined) {
    const subname = nameOf(args[1])
    command = subname === 'help' ? helpOn(command.subcommands) : command.subcommands.get(subname)
    if (command === undefined)
      return err(
        `unknown subcommand '${args[1].toString().slice(0, QUOTED_LENGTH_MAX)}'. Try ${name.toUpperCase()} HELP.`,
      )
    name = `${name}|${subname}`
  }
  if (command.arity >= 0 ? args.length !== command.arity : args.length < -command.arity)
    return err(`wrong number of arguments for '${name}' command`)
  if (!authenticated && command.beforeAuthentication === undefined)
    return { type: 'error', text: 'NOAUTH Authentication required.' }
  return command
}

/** Runs a command. What it promises never rejects with an operating error: that is a reply. */
export function runCommand(
  command: Command,
  args: readonly Buffer[],
  session: Session,
): Reply | Promise<Reply> {
  try {
    const reply = command.run(args, session)
    return reply instanceof Promise ? reply.catch((error: unknown) => failed(error, session)) : reply
  } catch (error) {
    return failed(error, session)
  }
}

function failed(error: unknown, session: Session): Reply {
  const reply = failure(error)
  session.failed(error as SequenceError)
  return reply
}

function helpOn(subcommands: CommandTable): Command {
  const lines = [...subcommands].map(([name, { summary }]) => `${name.toUpperCase()}: ${summary}`)
  return {
    arity: 2,
    summary: 'This list',
    run: () => array(lines.map((text) => ({ type: 'simple', text }))),
  }
}

function nameOf(arg: Buffer): string {
  return arg.toString('latin1').toLowerCase()
}

function unknownCommand(args: readonly Buffer[]): Reply {
  const name = (args[0] as Buffer).toString().slice(0, QUOTED_LENGTH_MAX)
  let quoted = ''
  for (const arg of args.slice(1)) {
    if (quoted.length >= QUOTED_LENGTH_MAX) break
    quoted += `'${arg.toString().slice(0, QUOTED_LENGTH_MAX - quoted.length)}' `
  }
  return err(`unknown command '${name}', with args beginning with: ${quoted}`)
}
