/** Limits of the status page (I9). */

/** Browsers that follow the page at once: each is a connection and a fragment of some kilobytes a second. */
export const LISTENERS_MAX = 50

/** How often those that follow get a new fragment. */
export const LIVE_MS = 1_000

/** How old what is known of the other instances may be: each look is a query of the store. */
export const FLEET_MS = 5_000
export const FLEET_SHOWN_MAX = 50

/** Instances that took no lease for so long are not shown. */
export const FLEET_SINCE_MS = 3_600_000

/** Wrong tokens in a row, by anybody; and after how long one more is allowed. */
export const WRONG_LOGINS_MAX = 10
export const WRONG_LOGIN_MS = 6_000

/** How long a login lasts, and how long what was done waits to be told. */
export const SESSION_S = 28_800
export const NOTICE_S = 60

/** Sequences of the store on one page of their list. */
export const STORED_SHOWN_MAX = 50
