/** Longest time that the primary waits for a worker's status or metrics: one that is stuck must not hold up the others. */
export const ANSWER_MS_MAX = 1_000

/** Longest time that a worker waits for what the primary has gathered: more than that of any worker's answer. */
export const GATHERED_MS_MAX = 2_000

/** Longest time to compile all scripts anew. */
export const RELOAD_MS_MAX = 30_000

/** A worker that ends sooner than this after its start keeps dying. */
export const STABLE_MS = 10_000

/** The pause before the third start in a row of a worker that keeps dying; it doubles with each further one. */
export const PAUSE_MS_MIN = 100
export const PAUSE_MS_MAX = 10_000
