import * as z from 'zod'
import {
  LEASE_IDS_MAX,
  LEASE_TARGET_MS,
  REQUEST_IDS_MAX,
  SEQUENCES_MAX,
  STEP_MAX,
  WAIT_MS_MAX,
  WAITERS_MAX,
} from '../core/limits.ts'
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  COMMAND_BYTES_MAX,
  CONNECTIONS_MAX,
  IDLE_MS_MAX,
  INLINE_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  UNAUTHENTICATED_ARGUMENTS_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
  UNREAD_MS_MAX,
} from '../fronts/redis/limits.ts'
import { COUNTERS_MAX } from '../rules/limits.ts'
import { parseListenAddress, parseMysqlAddress } from './address.ts'
import { parseNetworks, parseTimeZone, rulesSchema } from './rules.ts'
import { choice, integer, parsed, section, text, wholeNumber } from './values.ts'

const MYSQL_PORT = 3306
/** More than the cores of most machines: each is a whole process, with memory and connections of its own. */
const WORKERS_MAX = 256

/*
 * A key of the configuration is added here and nowhere else: its place gives its path and its environment
 * variable, its text is what documentation and error messages say of it.
 *
 * `prefault` gives the default, in the form that a user would write; a key with neither that nor `optional` must be given.
 * `meta({ secret: true })` makes `<key>_file`, which must be a key too, an alternative to the key itself.
 */

const mysqlSchema = z
  .object({
    host: parsed(
      'a host such as localhost, db:3307, tcp(localhost:3306) or unix(/run/mysqld.sock)',
      parseMysqlAddress,
    )
      .prefault('localhost')
      .describe('host of the server; also host:port, tcp(host:port) or unix(/path/to/socket)'),
    port: integer(1, 65_535).optional().meta({ default: MYSQL_PORT, description: 'TCP port of the server' }),
    user: text(1).describe('user of the database'),
    password: text(0).prefault('').meta({ secret: true, description: "the user's password" }),
    password_file: text(1).optional().describe('file that holds the password, instead of `password`'),
    database: text(1).describe('name of the database'),
    tls: choice([false, true])
      .prefault(false)
      .describe('whether to encrypt and to verify the certificate of the server'),
    ca_file: text(1)
      .optional()
      .describe("file with the certificates that may sign the server's, in PEM; the system's otherwise"),
    connect_timeout_ms: integer(10, 60_000).prefault(800).describe('longest time to connect, in ms'),
    timeout_ms: integer(10, 60_000).prefault(3_000).describe('longest time for one lease, in ms'),
    connections_max: integer(1, 1_000).prefault(4).describe('connections to the server'),
    maxidle: z.unknown().optional().describe("accepted from the older server's config.yml and ignored"),
    maxopen: z.unknown().optional().describe("accepted from the older server's config.yml and ignored"),
  })
  .transform(({ host: address, port, maxidle: _maxidle, maxopen: _maxopen, ...rest }, context) => {
    if (rest.ca_file !== undefined && !rest.tls)
      context.addIssue({ code: 'custom', path: ['ca_file'], message: 'has no effect unless tls is true' })
    if ('socketPath' in address)
      return { ...rest, host: 'localhost', port: port ?? MYSQL_PORT, socket_path: address.socketPath }
    if (port !== undefined && address.port !== undefined && port !== address.port)
      context.addIssue({
        code: 'custom',
        path: ['port'],
        message: `is ${port}, but mysql.host says ${address.port}; give the port once`,
      })
    return { ...rest, host: address.host, port: port ?? address.port ?? MYSQL_PORT, socket_path: undefined }
  })

export const configSchema = z.object({
  port: parsed('an address such as :8000, 127.0.0.1:8000 or [::1]:8000, or a port', parseListenAddress)
    .prefault(':8000')
    .describe('address of HTTP; without a host, all interfaces; with port 0 the system picks one'),
  workers: parsed(`a whole number from 1 to ${WORKERS_MAX}, or auto`, (value) =>
    value === 'auto' ? 'auto' : wholeNumber(value, 1, WORKERS_MAX),
  )
    .prefault(1)
    .describe('processes that serve behind the same ports; auto: one for each core'),
  step: integer(1, STEP_MAX)
    .prefault(100)
    .describe('ids in one lease of the generator; all instances on one store must agree'),
  first: choice([0, 1])
    .prefault(0)
    .describe(
      "added to every id of the generator; 1 gives the older server's ids; all instances on one store must agree",
    ),
  schema: choice(['auto', 'manual']).prefault('auto').describe('whether missing tables are made at start'),
  mysql: mysqlSchema.optional(),
  sqlite: section({
    file: text(1)
      .prefault('data/seqsvr.sqlite')
      .describe('file of the embedded store, used when there is no `mysql`'),
  }),
  lease: section({
    target_ms: integer(10, 600_000)
      .prefault(LEASE_TARGET_MS)
      .describe('how long the ids fetched at once should last, in ms'),
    ids_max: integer(1, 1_000_000_000)
      .prefault(LEASE_IDS_MAX)
      .describe('ids fetched at once, however busy the sequence is'),
  }),
  provenance: section({
    days: integer(0, 36_500)
      .prefault(30)
      .describe('how long it stays on record which instance leased which ids, in days; 0: no record at all'),
  }),
  wait_ms_max: integer(1, 60_000)
    .prefault(WAIT_MS_MAX)
    .describe('longest time that a request waits for the store, in ms'),
  waiters_max: integer(1, 1_000_000)
    .prefault(WAITERS_MAX)
    .describe('requests that may wait for the store at once'),
  request_ids_max: integer(1, 1_000_000)
    .prefault(REQUEST_IDS_MAX)
    .describe('ids that one request may ask for'),
  sequences_max: integer(1, 10_000_000).prefault(SEQUENCES_MAX).describe('named sequences in memory at once'),
  http: section({
    connections_max: integer(1, 1_000_000).prefault(10_000).describe('open HTTP connections'),
    keep_alive_ms: integer(0, 3_600_000)
      .prefault(75_000)
      .describe(
        "how long an idle HTTP connection stays open, in ms; must exceed the proxy's time (nginx: 60 s)",
      ),
    express_lane: choice([true, false])
      .prefault(true)
      .describe('whether plain requests for ids are answered straight from the socket'),
  }),
  redis: section({
    port: parsed('an address such as 127.0.0.1:6389 or :6389, a port, or off', (value) =>
      value === 'off' ? 'off' : parseListenAddress(value),
    )
      .prefault('off')
      .describe('address of the Redis protocol, or off; without a host, all interfaces'),
    password: text(1).optional().meta({
      secret: true,
      description: 'what Redis clients must give in AUTH or HELLO; none if not given',
    }),
    password_file: text(1).optional().describe('file that holds the password, instead of `password`'),
    connections_max: integer(1, 1_000_000).prefault(CONNECTIONS_MAX).describe('open Redis connections'),
    arguments_max: integer(3, 1_048_576).prefault(ARGUMENTS_MAX).describe('arguments of one command'),
    bulk_bytes_max: integer(512, 16_777_216).prefault(BULK_BYTES_MAX).describe('bytes of one argument'),
    inline_bytes_max: integer(64, 16_777_216)
      .prefault(INLINE_BYTES_MAX)
      .describe('bytes of a command on a line, without RESP'),
    command_bytes_max: integer(1_024, 268_435_456)
      .prefault(COMMAND_BYTES_MAX)
      .describe('bytes of one whole command'),
    unauthenticated_arguments_max: integer(3, 1_048_576)
      .prefault(UNAUTHENTICATED_ARGUMENTS_MAX)
      .describe('arguments of one command before the client has authenticated'),
    unauthenticated_bulk_bytes_max: integer(64, 16_777_216)
      .prefault(UNAUTHENTICATED_BULK_BYTES_MAX)
      .describe('bytes of one argument before the client has authenticated'),
    output_bytes_max: integer(1_024, 1_073_741_824)
      .prefault(OUTPUT_BYTES_MAX)
      .describe(
        'bytes of replies that a client has not read, at which no more of its commands are looked at',
      ),
    unread_ms_max: integer(10, 3_600_000)
      .prefault(UNREAD_MS_MAX)
      .describe('how long a reply may wait for its client to read it, in ms; then that is cut off'),
    idle_ms_max: integer(0, 2_147_483_647)
      .prefault(IDLE_MS_MAX)
      .describe('how long a Redis client may say nothing, in ms; 0: for ever'),
  }),
  admin: section({
    token: text(1, /^[\w.~+/-]{16,}=*$/, 'must have 16 or more characters, of A-Z a-z 0-9 . _ ~ + / - only')
      .optional()
      .meta({ secret: true, description: 'turns on the admin API, for who sends this token' }),
    token_file: text(1).optional().describe('file that holds the token, instead of `token`'),
  }),
  udp: section({
    port: parsed('an address such as 127.0.0.1:1200 or [::1]:1200, or a port', parseListenAddress)
      .prefault('127.0.0.1:1200')
      .describe('address of the UDP front, which is open while there are rules'),
    rules: rulesSchema
      .prefault([])
      .describe(
        'list of rules, in the file only: each has name, lua_file (from the working folder) and batch_save',
      ),
    id_step: integer(1, 1_000_000).prefault(1).describe('how far a counter moves from one id to the next'),
    id_offset: integer(0, 999_999)
      .prefault(0)
      .describe(
        'added to the minimum of every counter, less than id_step; instances with the same one share counters',
      ),
    time_zone: parsed('a time zone such as Europe/Berlin or UTC', parseTimeZone)
      .prefault('system')
      .describe("time zone of dates and periods; `system` is the process's own"),
    networks: parsed('a list of networks such as 10.0.0.0/8, or of addresses', parseNetworks)
      .prefault([])
      .describe('who may ask over UDP; everybody who reaches the port, when empty'),
    counters_max: integer(1, 1_000_000)
      .prefault(COUNTERS_MAX)
      .describe('counters, of all rules and app_names, in memory at once'),
  }).superRefine(({ id_step, id_offset }, context) => {
    if (id_offset >= id_step)
      context.addIssue({
        code: 'custom',
        path: ['id_offset'],
        message: `must be less than id_step, ${id_step}`,
      })
  }),
  drain_ms: integer(0, 600_000)
    .prefault(10_000)
    .describe('longest time to finish open requests at shutdown, in ms'),
  log: section({
    level: choice(['debug', 'info', 'warn', 'error'])
      .prefault('info')
      .describe('least severe messages to log'),
  }),
})

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** The whole configuration, checked and with its defaults. Deeply frozen. */
export type Config = DeepReadonly<z.output<typeof configSchema>>

/** One leaf of the schema, for the loader and for documentation. */
export interface ConfigKey {
  /** As in config.yml, with dots: `mysql.password_file`. */
  readonly path: string
  /** Its environment variable: `SEQSVR_MYSQL_PASSWORD_FILE`. */
  readonly env: string
  /** In the form that a user would write; undefined when there is none. */
  readonly default: unknown
  readonly description: string
  readonly secret: boolean
}

/** Every key of the configuration, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = leaves(configSchema, [])

/** Every block of keys: `mysql`, `log`, … */
export const configSections: ReadonlySet<string> = new Set(
  configKeys.flatMap(({ path }) => {
    const above = path.split('.').slice(0, -1)
    return above.map((_, index) => above.slice(0, index + 1).join('.'))
  }),
)

function leaves(object: z.ZodObject, path: readonly string[]): ConfigKey[] {
  return Object.entries(object.shape).flatMap(([name, schema]) => {
    const below = objectIn(schema)
    return below === undefined ? [leaf(schema, [...path, name])] : leaves(below, [...path, name])
  })
}

function leaf(schema: z.core.$ZodType, path: readonly string[]): ConfigKey {
  const meta = z.globalRegistry.get(schema)
  if (meta?.description === undefined) throw new Error(`the key ${path.join('.')} has no description`)
  return {
    path: path.join('.'),
    env: `SEQSVR_${path.join('_').toUpperCase()}`,
    default: schema instanceof z.ZodPrefault ? schema.def.defaultValue : meta.default,
    description: meta.description,
    secret: meta.secret === true,
  }
}

/** The object that a block of keys is, under what makes it optional or transforms it. */
function objectIn(schema: z.core.$ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    return objectIn(schema.def.innerType)
  return schema instanceof z.ZodPipe ? objectIn(schema.def.in) : undefined
}

declare module 'zod' {
  interface GlobalMeta {
    /** The default, where the schema cannot apply it by itself. */
    default?: unknown
    secret?: boolean
  }
}
