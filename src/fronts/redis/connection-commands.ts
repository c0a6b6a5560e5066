import { createHash, timingSafeEqual } from 'node:crypto'
import { type CommandTable, commandTable, type Session } from './command.ts'
import { CLIENT_NAME_BYTES_MAX } from './limits.ts'
import { array, bulk, err, integer, NIL, OK, type Reply } from './reply.ts'
import { COMPATIBLE_REDIS_VERSION } from './server-info.ts'

const WRONG_PASSWORD: Reply = {
  type: 'error',
  text: 'WRONGPASS invalid username-password pair or user is disabled.',
}
const BAD_NAME = err('Client names cannot contain spaces, newlines or special characters.')

/** PING, ECHO, HELLO, AUTH, CLIENT, SELECT, QUIT, RESET. Without a password every client is authenticated. */
export function connectionCommands(password: string | undefined): CommandTable {
  const isPassword = password === undefined ? () => true : matcher(password)

  function authenticate(session: Session, user: string, given: Buffer): boolean {
    if (user !== 'default' || !isPassword(given)) return false
    session.authenticated = true
    return true
  }

  return commandTable({
    ping: {
      arity: -1,
      summary: 'Answers PONG, or with its argument',
      run(args) {
        if (args.length > 2) return err("wrong number of arguments for 'ping' command")
        return args[1] === undefined ? { type: 'simple', text: 'PONG' } : bulk(args[1])
      },
    },
    echo: { arity: 2, summary: 'Answers with its argument', run: (args) => bulk(args[1] as Buffer) },
    auth: {
      arity: -2,
      beforeAuthentication: true,
      summary: 'Authenticates the connection; the only user is `default`',
      run(args, session) {
        if (args.length > 3) return err('syntax error')
        if (args.length === 2 && password === undefined)
          return err(
            'AUTH <password> called without any password configured for the default user. ' +
              'Are you sure your configuration is correct?',
          )
        const user = args.length === 2 ? 'default' : String(args[1])
        return authenticate(session, user, args.at(-1) as Buffer) ? OK : WRONG_PASSWORD
      },
    },
    hello: {
      arity: -1,
      beforeAuthentication: true,
      summary: 'Chooses the protocol, 2 or 3; may authenticate and name the connection',
      run(args, session) {
        const options = readHello(args)
        if ('type' in options) return options
        const { login, name } = options
        if (login !== undefined && !authenticate(session, login.user, login.password)) return WRONG_PASSWORD
        if (!session.authenticated)
          return {
            type: 'error',
            text:
              'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> ' +
              'option can be used to authenticate the client and select the RESP protocol version at the same time',
          }
        session.protocol = options.protocol ?? session.protocol
        session.name = name ?? session.name
        return {
          type: 'map',
          entries: [
            ['server', bulk('seqsvr')],
            ['version', bulk(COMPATIBLE_REDIS_VERSION)],
            ['proto', integer(session.protocol)],
            ['id', integer(session.id)],
            ['mode', bulk('standalone')],
            ['role', bulk('master')],
            ['modules', array([])],
          ],
        }
      },
    },
    client: {
      arity: -2,
      summary: 'What clients say of themselves',
      subcommands: clientSubcommands,
      run: () => err('syntax error'),
    },
    select: {
      arity: 2,
      summary: 'Accepts any index: there is one set of sequences',
      run(args) {
        const index = (args[1] as Buffer).toString('latin1')
        if (!/^-?\d{1,10}$/.test(index)) return err('value is not an integer or out of range')
        return index.startsWith('-') ? err('DB index is out of range') : OK
      },
    },
    quit: {
      arity: -1,
      beforeAuthentication: true,
      summary: 'Ends the connection',
      run(_args, session) {
        session.quit()
        return OK
      },
    },
    reset: {
      arity: 1,
      beforeAuthentication: true,
      summary: 'Makes the connection what it was when it was new',
      run(_args, session) {
        session.authenticated = password === undefined
        session.protocol = 2
        session.name = ''
        return { type: 'simple', text: 'RESET' }
      },
    },
  })
}

const clientSubcommands: CommandTable = commandTable({
  id: { arity: 2, summary: "The connection's number", run: (_args, session) => integer(session.id) },
  setname: {
    arity: 3,
    summary: 'Names the connection',
    run(args, session) {
      const name = nameIn(args[2] as Buffer)
      if (name === undefined) return BAD_NAME
      session.name = name
      return OK
    },
  },
  getname: {
    arity: 2,
    summary: "The connection's name, or nil",
    run: (_args, session) => (session.name === '' ? NIL : bulk(session.name)),
  },
  setinfo: { arity: 4, summary: 'Accepted and not kept', run: () => OK },
})

interface HelloOptions {
  readonly protocol: 2 | 3 | undefined
  readonly login: { readonly user: string; readonly password: Buffer } | undefined
  readonly name: string | undefined
}

/** `HELLO [protover [AUTH user password] [SETNAME name]]`, or the error that redis-server answers with. */
function readHello(args: readonly Buffer[]): HelloOptions | Reply {
  let login: HelloOptions['login']
  let name: string | undefined
  const version = args[1]?.toString('latin1')
  if (version !== undefined && !/^-?\d+$/.test(version))
    return err('Protocol version is not an integer or out of range')
  if (version !== undefined && version !== '2' && version !== '3')
    return { type: 'error', text: 'NOPROTO unsupported protocol version' }
  for (let i = 2; i < args.length; i++) {
    const option = args[i] as Buffer
    const [first, second] = args.slice(i + 1, i + 3)
    switch (option.toString('latin1').toLowerCase()) {
      case 'auth':
        if (first === undefined || second === undefined) return badHelloOption(option)
        login = { user: String(first), password: second }
        i += 2
        break
      case 'setname':
        if (first === undefined) return badHelloOption(option)
        name = nameIn(first)
        if (name === undefined) return BAD_NAME
        i += 1
        break
      default:
        return badHelloOption(option)
    }
  }
  return { protocol: version === undefined ? undefined : version === '2' ? 2 : 3, login, name }
}

function badHelloOption(option: Buffer): Reply {
  return err(`Syntax error in HELLO option '${option.toString()}'`)
}

function nameIn(arg: Buffer): string | undefined {
  const name = arg.toString('latin1')
  return name.length <= CLIENT_NAME_BYTES_MAX && /^[!-~]*$/.test(name) ? name : undefined
}

/** Compares in a time that tells nothing of the password. */
function matcher(password: string): (given: Buffer) => boolean {
  const digest = (value: string | Buffer) => createHash('sha256').update(value).digest()
  const wanted = digest(password)
  return (given) => timingSafeEqual(digest(given), wanted)
}
