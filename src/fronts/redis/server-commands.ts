import { type Command, type CommandTable, commandTable } from './command.ts'
import { array, bulk, integer, NIL, type Reply } from './reply.ts'
import { renderInfo, type ServerFigures } from './server-info.ts'

/** All commands: `known` and INFO, COMMAND, CONFIG. `settings` is what CONFIG GET shows. */
export function withServerCommands(
  known: CommandTable,
  figures: () => ServerFigures,
  settings: Readonly<Record<string, string>>,
): CommandTable {
  const commands = new Map(known)
  commands.set('info', {
    arity: -1,
    summary: 'Figures of the server, its clients and its sequences',
    run: (args) => ({ type: 'text', text: renderInfo(figures(), args.slice(1).map(String)) }),
  })
  commands.set('command', {
    arity: -1,
    summary: 'What commands there are',
    subcommands: aboutCommands(commands),
    run: () => array([...commands].map(describe)),
  })
  commands.set('config', {
    arity: -2,
    summary: 'Settings that clients ask for',
    subcommands: commandTable({
      get: {
        arity: -3,
        summary: 'Settings by name, or all with *',
        run: (args) => configGet(settings, args),
      },
    }),
    run: () => NIL,
  })
  return commands
}

function aboutCommands(commands: CommandTable): CommandTable {
  const named = (args: readonly Buffer[]): (readonly [string, Command | undefined])[] => {
    if (args.length === 2) return [...commands]
    return args.slice(2).map((arg) => {
      const name = String(arg).toLowerCase()
      return [name, commands.get(name)]
    })
  }
  return commandTable({
    count: { arity: 2, summary: 'How many', run: () => integer(commands.size) },
    info: {
      arity: -2,
      summary: 'Their arity and their keys',
      run: (args) => array(named(args).map(describe)),
    },
    docs: {
      arity: -2,
      summary: 'What they do',
      run: (args) => ({
        type: 'map',
        entries: named(args).flatMap(([name, command]) =>
          command === undefined ? [] : [[name, docs(command)] as const],
        ),
      }),
    },
  })
}

/** As Redis 7 describes a command; what follows the keys is for servers with access lists and modules. */
function describe([name, command]: readonly [string, Command | undefined]): Reply {
  if (command === undefined) return NIL
  const [first, last, step] = command.keys ?? [0, 0, 0]
  // All that touch a sequence change it, GET too: none may go to a replica.
  const flags = [
    ...(command.keys === undefined ? [] : ['write']),
    ...(command.beforeAuthentication ? ['no_auth'] : []),
    'fast',
  ]
  return array([
    bulk(name),
    integer(command.arity),
    array(flags.map((text) => ({ type: 'simple', text }))),
    integer(first),
    integer(last),
    integer(step),
    ...Array.from({ length: 4 }, () => array([])),
  ])
}

function docs(command: Command): Reply {
  return {
    type: 'map',
    entries: [
      ['summary', bulk(command.summary)],
      ['group', bulk(command.keys === undefined ? 'connection' : 'string')],
    ],
  }
}

function configGet(settings: Readonly<Record<string, string>>, args: readonly Buffer[]): Reply {
  const wanted = args.slice(2).map((arg) => String(arg).toLowerCase())
  return {
    type: 'map',
    entries: Object.entries(settings)
      .filter(([name]) => wanted.includes('*') || wanted.includes(name))
      .map(([name, value]) => [name, bulk(value)]),
  }
}
