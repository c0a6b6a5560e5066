/** Limits of the core (I9). Those that a user may set take their defaults from here. */

/** Ids that one request may ask for: 10,000 ids of 19 digits are a reply of 200 kB. */
export const REQUEST_IDS_MAX = 10_000

/** Requests that wait for one sequence: each holds a promise and an open connection. */
export const WAITERS_MAX = 10_000

/** How long a request waits for the store before it fails: shorter than the patience of any usual client. */
export const WAIT_MS_MAX = 1_000

/** How long the ids of one grant should last: at least one commit of a slow store, twice over. */
export const LEASE_TARGET_MS = 2_000

/** Ids that one grant may hold: what 5 million ids a second use in the target time. */
export const LEASE_IDS_MAX = 10_000_000

/** The agreed step of the generator: a lease of more ids could not be waited for, or wasted, lightly. */
export const STEP_MAX = 1_000_000_000

/** First and longest pause before asking a failing store again. The longest bounds recovery, together with
 * the store's own deadlines, to less than a second after the store is back. */
export const RETRY_MS_MIN = 25
export const RETRY_MS_MAX = 400

/** Pause before asking again after a refusal that only a person can lift. */
export const REFUSED_RETRY_MS = 1_000

/** Length of a sequence's name, in characters (code points). A store's column may be narrower. */
export const NAME_LENGTH_MAX = 128

/** Sequences that an instance holds in memory at once; one takes about a kilobyte of heap, and 3.6 kB of resident memory. */
export const SEQUENCES_MAX = 100_000

/** Names known not to exist, and for how long: a name that is made meanwhile is found within that time. */
export const UNKNOWN_NAMES_MAX = 10_000
export const UNKNOWN_NAME_MS = 1_000

/** Names looked up in one query; the others wait for the next one, so that a flood of names is one query at a time. */
export const LOOKUP_NAMES_MAX = 500

/** Names that wait for a look-up. */
export const LOOKUPS_WAITING_MAX = 10_000

/** Ids in one lease of a sequence that is made without a step. */
export const SEGMENT_STEP = 1_000

/** Instances that the store tells of at once. */
export const INSTANCES_MAX = 1_000
