/** What an instance tells of itself, as plain JSON: it may come from another process of the same instance's tree. */
export interface InstanceStatus {
  readonly uuid: string
  readonly version: string
  /** The name of the machine. */
  readonly host: string
  /** Wall-clock times here are milliseconds since 1970, and for people only (I10). */
  readonly startedAtMs: number
  /** Why it should get no requests now, in words; null when it should. */
  readonly unreadiness: string | null
  readonly store: StoreStatus
  /** The generator first, then named sequences in the order in which they came into memory: at most `SEQUENCES_SHOWN_MAX` of these. */
  readonly sequences: readonly SequenceStatus[]
  /** All named sequences in memory, shown or not. */
  readonly sequencesHeld: number
  /** The named sequences that are not shown, all together. */
  readonly others: OtherSequences
  readonly fronts: readonly FrontStatus[]
  /** The scripts of rules, in the order of the configuration. */
  readonly scripts: readonly ScriptStatus[]
  /** What went wrong lately, the newest first: at most `FAULTS_SHOWN_MAX`. */
  readonly faults: readonly FaultReport[]
}

export interface OtherSequences {
  readonly left: number
  /** With those of sequences that were shown nowhere and have left the memory since. */
  readonly issued: number
  readonly waiting: number
}

export interface StoreStatus {
  readonly description: string
  /** Why it gave no lease when last asked; null while it is well. */
  readonly fault: string | null
}

/** One sequence in memory. Ids are decimal text, since JSON numbers above 2^53-1 are rounded (I6). */
export interface SequenceStatus {
  /** null: the generator. */
  readonly name: string | null
  /** Ids in memory: of the lease it serves from, and of those fetched ahead. */
  readonly left: number
  readonly leftInLease: number
  readonly leaseIds: number
  readonly ahead: number
  /** Ids handed out since the instance started. */
  readonly issued: number
  readonly waiting: number
  readonly fault: string | null
  readonly next: string | null
  /** The end of the greatest lease it was granted; null before the first. */
  readonly leasedTo: string | null
  /** Ids handed out in each of the last seconds, the oldest first: at most `RATE_SECONDS`. */
  readonly idsPerSecond: readonly number[]
  /** The last leases, the oldest first: at most `LEASES_SHOWN_MAX`. */
  readonly leases: readonly LeaseReport[]
}

export interface LeaseReport {
  readonly atMs: number
  readonly ids: number
  readonly tookMs: number
}

export interface FrontStatus {
  readonly name: 'http' | 'redis' | 'udp'
  /** Where it listens, for people. */
  readonly address: string
  /** Connections open now; null for UDP. */
  readonly connections: number | null
  /** Ids handed out since the instance started. */
  readonly issued: number
  /** Connections that were closed as they came, since there were too many; null for UDP. */
  readonly connectionsRefused: number | null
  /** Requests that failed, by `ErrorCode`. */
  readonly failures: Readonly<Record<string, number>>
  /** Null where the protocol has none. */
  readonly datagrams: DatagramCounts | null
}

export interface DatagramCounts {
  readonly received: number
  /** Left without an answer: from outside the allowed networks, or no request at all. */
  readonly dropped: number
  /** Answered with an error before a rule was asked: too long, or too many at once. */
  readonly refused: number
}

/** The script of one rule, since the rule was loaded. */
export interface ScriptStatus {
  readonly rule: string
  /** Time from handing work to the script's thread to its answer. */
  readonly busyMs: number
  /** Ids that wait for the script, or are being made. */
  readonly waiting: number
  /** How often its thread was ended, for taking too long or too much memory. */
  readonly kills: number
}

/** Faults that are equal in all but their times are one. */
export interface FaultReport {
  /** When it happened first, and last. */
  readonly firstAtMs: number
  readonly atMs: number
  readonly times: number
  /** The sequence, rule or front that it befell, in words. */
  readonly where: string
  /** An `ErrorCode`. */
  readonly code: string
  readonly message: string
}
