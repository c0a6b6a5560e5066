/** Limits of what an instance tells of itself (I9): a page and a scrape stay small, however many sequences there are. */

/** Named sequences that are told of one by one, besides the generator: each is a row of a page, and some ten time series. */
export const SEQUENCES_SHOWN_MAX = 100

/** Seconds of which the ids are counted: a minute, as wide as a chart in a table is read. */
export const RATE_SECONDS = 60

/** Leases that are told of one by one: some minutes of a steady load. */
export const LEASES_SHOWN_MAX = 20

/** Faults that are told of: more than a person reads through. */
export const FAULTS_SHOWN_MAX = 50

/** Seconds of which the present rate is the mean: steady from one second to the next, and new within a scrape or two. */
export const RATE_SECONDS_SHORT = 10
