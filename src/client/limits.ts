/** Limits of the client (I9). */

/** Ids in one batch, until a server says that it gives fewer: what servers give at most unless configured otherwise. */
export const BATCH_IDS_MAX = 10_000

/** How long a batch should last. Half of it bridges a request, or a server that is restarted. */
export const BATCH_TARGET_MS = 1_000

/** Callers that wait at once: each holds a promise. */
export const WAITERS_MAX = 100_000

/** How long a call waits for an id: long enough for several servers to be asked more than once. */
export const WAIT_MS_MAX = 5_000

/** How long one request may take: a server answers within its own `wait_ms_max`, 1 s, even when its store does not. */
export const REQUEST_MS_MAX = 2_000

/** First and longest time for which a failed server is left alone, unless it names a longer one itself. */
export const PAUSE_MS_MIN = 100
export const PAUSE_MS_MAX = 2_000

/** The longest Retry-After that is believed. */
export const RETRY_AFTER_MS_MAX = 60_000
