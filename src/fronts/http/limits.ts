/** Limits of the HTTP front (I9), set for a life behind nginx. */

/** How long a reply may wait for its client to read it: 10,000 ids at 30 kB a second. */
export const UNREAD_MS_MAX = 7_000

/** A request line and headers of this kind stay below 1 kB; cookies of a shared domain may add some. */
export const HEADER_BYTES_MAX = 8_192

/** How long a client may take to send its headers, and its whole request. */
export const HEADERS_TIMEOUT_MS = 5_000
export const REQUEST_TIMEOUT_MS = 7_000

/**
 * How often Node looks for connections past those times: its default of 30 s would keep slow clients for as long. Every second it ended
 * hundreds of them in one turn of the event loop, which took 25 ms. A look takes 0.2 ms where 9,000 requests are not whole, else nothing.
 */
export const TIMEOUT_CHECK_MS = 25

/** What node:http is given at a time of what has come: 80 of the shortest requests, of which it makes some millisecond. */
export const PIECE_BYTES = 2_048

/** The form of a POST: a name of 128 characters takes 1.5 kB when every byte of it is escaped. */
export const FORM_BYTES_MAX = 4_096

/** The body of an admin request, and sequences in one page of the list. */
export const ADMIN_BODY_BYTES_MAX = 16_384
export const LIST_MAX = 1_000

/** Replies of this size, some hundred ids, are counted until the client has read them; and how much may be unread. */
export const UNREAD_REPLY_BYTES_MIN = 4_096
export const UNREAD_BYTES_MAX = 67_108_864

/** What all connections may hold together: twice that, since small replies in great numbers come on top. */
export const HELD_BYTES_MAX = 2 * UNREAD_BYTES_MAX

/** Requests of one connection that node:http may work on at once: each takes some 6 kB, and as long as it takes. */
export const PIPELINED_MAX = 100

/** Requests in one chunk, which are some 0.2 ms on the express lane, in which all others wait. */
export const CHUNK_REQUESTS_MAX = 256

/** An id of 19 digits in a list, with quotes and a comma. */
export const ID_REPLY_BYTES = 22
