/** `danger` can lead to ids that repeat, with `failed` an instance cannot serve, `warning` is for a person to judge. */
export type Severity = 'danger' | 'failed' | 'warning' | 'ok'

/** What `seqsvr check` found of one thing that it looked at. */
export interface Finding {
  /** What was looked at, in kebab-case. Programs may rely on it; docs/doctor.md has every one. */
  readonly name: string
  readonly severity: Severity
  /** What was seen. */
  readonly what: string
  /** Why that matters. Like `advice`, with everything but `ok`. */
  readonly why?: string
  /** What to do. */
  readonly advice?: string
}

/** The findings of one part of the program by their names: how grave each may be besides `ok`, and why it matters. */
export type FindingTable = Readonly<
  Record<string, { readonly severities: readonly Exclude<Severity, 'ok'>[]; readonly why: string }>
>

/** Makes findings of a table. */
export function findingsOf<T extends FindingTable>(table: T) {
  return {
    ok: (name: keyof T & string, what: string): Finding => ({ name, severity: 'ok', what }),
    bad: <N extends keyof T & string>(
      name: N,
      severity: T[N]['severities'][number],
      what: string,
      advice: string,
    ): Finding => ({ name, severity, what, why: (table[name] as T[N]).why, advice }),
  }
}
