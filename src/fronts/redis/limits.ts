/** Limits of the Redis front (I9). Those that a user may set take their defaults from here. */

/** Open connections. Each may hold 1 MiB of a command that is not whole yet and 128 KiB of replies that are not read yet. */
export const CONNECTIONS_MAX = 10_000

/** Arguments of one command, its name among them: MGET of as many keys as one request may ask ids for, and room. */
export const ARGUMENTS_MAX = 16_384

/** One argument: a name takes 512 bytes at most; the rest is for what people ECHO. */
export const BULK_BYTES_MAX = 65_536

/** A command on a line, and the line of a length: what redis-server allows. */
export const INLINE_BYTES_MAX = 65_536

/** One whole command: MGET of 10,000 keys of 100 bytes. */
export const COMMAND_BYTES_MAX = 1_048_576

/** What a client may send before it has authenticated: redis-server's own limits, enough for HELLO and AUTH. */
export const UNAUTHENTICATED_ARGUMENTS_MAX = 10
export const UNAUTHENTICATED_BULK_BYTES_MAX = 16_384

/**
 * Replies that wait for the client to read them. No command of a client that has more is looked at. The system keeps some megabytes
 * more; with 1 MiB here, a hundred clients that read nothing made V8 look through its memory three times as often, 5 ms each.
 */
export const OUTPUT_BYTES_MAX = 131_072

/** How long a reply may wait for its client to read it before that is cut off: 128 KiB at 19 kB a second. */
export const UNREAD_MS_MAX = 7_000

/** How long a client may take to send a whole command once it has begun, and to authenticate where it must. */
export const COMMAND_MS_MAX = 7_000

/** How many connections may hold at once as much as one may: a few do honestly, and a thousand would be gigabytes. */
export const FULL_CONNECTIONS_MAX = 28

/** How long a client may say nothing: longer than pools keep connections that they do not use. */
export const IDLE_MS_MAX = 3_600_000

/** The first probe of a silent connection, which finds peers that have gone without a word. */
export const KEEP_ALIVE_PROBE_MS = 60_000

/** How long a connection stays to be read by the client after the last reply was sent. */
export const LINGER_MS = 1_000

/** A command that is remembered to be recognised by its bytes: GET of a name of usual length, three times over. */
export const REPEATED_BYTES_MAX = 128

/** Where the buffer for the replies of one turn of the event loop starts: some thousand ids. It grows to what one packet asks for. */
export const OUTPUT_BYTES_MIN = 65_536

/**
 * What one client may send, and have in replies, in one turn of the event loop: 32 of COMMAND DOCS, the costliest, take some
 * milliseconds. It is also as much as is read at once.
 */
export const TURN_BYTES = OUTPUT_BYTES_MIN

/** A client's name for itself, in bytes. */
export const CLIENT_NAME_BYTES_MAX = 128

/** How often a command that makes a sequence tries again when others remove it meanwhile. */
export const CREATE_TRIES_MAX = 3

/** Memory kept for large commands to come: that of those which many clients send at once. */
export const POOL_BYTES_MAX = 33_554_432
