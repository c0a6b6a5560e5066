/** Limits of the UDP front (I9). */

/** A request: its names and its salt take 1.3 kB when each of their characters has four bytes. */
export const REQUEST_BYTES_MAX = 2_048

/** A reply: a datagram of this size passes every usual network in one piece. */
export const REPLY_BYTES_MAX = 1_400

/** Requests that wait for an answer: each holds a promise. */
export const PENDING_MAX = 20_000

/** What the system may hold while the event loop is busy: thousands of datagrams, as far as it allows that much. */
export const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

/** Requests that are known by their bytes, and how long each may be: as most are, and below a megabyte in all. */
export const KNOWN_REQUESTS_MAX = 1_024
export const KNOWN_BYTES_MAX = 256
