/** Limits of the rules (I9). Those that a user may set take their defaults from here. */

/**
 * How long one run of a script may take, on the way to an end within 50 ms: timers are late by a few ms, and by 15 at times. Where the
 * machine is so busy that the script's thread gets less than a core, its CPU time counts, up to the second limit.
 */
export const SCRIPT_MS_MAX = 30
export const SCRIPT_STARVED_MS_MAX = 400

/** How long a thread may take to start and to load its script: some 60 ms on an idle machine. */
export const SCRIPT_LOAD_MS_MAX = 5_000

/**
 * How many threads one rule may start in a row, and how long it takes until it may start another one. Ending a script and
 * loading it anew takes 100 ms of a core: bombs now and then, and a machine too busy to run honest scripts in time, are recovered
 * from at once; bombs without pause cost a twentieth of a core.
 */
export const STARTS_MAX = 20
export const START_PAUSE_MS = 2_000

/** Memory of one script, with Lua's own 50 kB: strings and tables of any sane rule are far smaller. */
export const SCRIPT_BYTES_MAX = 8 * 1024 * 1024

/** Size of a rule's file: it is loaded whenever its thread is started. */
export const SCRIPT_FILE_BYTES_MAX = 256 * 1024

/** Rules of one instance: each has a thread of its own, which takes about 15 MB. */
export const RULES_MAX = 50

/** Runs that one message to a thread may ask for, and how long they should take together at most. */
export const BATCH_RUNS_MAX = 512
export const BATCH_MS_TARGET = 4

/** Seconds of a rule whose ids made ahead are kept: the present one, and those of counters that follow a clock which is ahead. */
export const MOMENTS_MAX = 4

/** Runs that wait for one rule's thread when a request is turned away. One for many ids may take it above that. */
export const RUNS_WAITING_MAX = 2_000

/** Length of an id, in bytes: with what stands around it, it fits into one datagram. */
export const ID_BYTES_MAX = 256

/** What is told of a script's own error message, in bytes. */
export const MESSAGE_BYTES_MAX = 200

/** Length of app_name, as the older server's column has it, and of the salt, in characters (code points). */
export const APP_NAME_LENGTH_MAX = 64
export const SALT_LENGTH_MAX = 128

/** Counters of one instance in memory, which is also how many new rows it makes at most in one period. */
export const COUNTERS_MAX = 10_000

/** Counters looked at for one whose period is over, when room is needed for another. */
export const EVICTION_TRIES = 8

/** Looks into the store for `monitor` at once. */
export const READS_MAX = 100

/** `batch_save` of a rule: the bounds of the older server, and what a rule without one gets. */
export const BATCH_SAVE_MAX = 10_000
export const BATCH_SAVE = 100

/** Numbers that one reservation may hold where requests wait for more than `batch_save`. */
export const RESERVATION_MAX = 10_000

/**
 * How far the store's clock may be ahead of this instance's. Within that, ids carry the store's time until the clocks meet.
 * More is a clock that was wrong, and to follow it would print a wrong date for days.
 */
export const AHEAD_SECONDS_MAX = 86_400
