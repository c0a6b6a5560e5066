import { setTimeout as pause } from 'node:timers/promises'
import type { Checker } from '../checker.ts'
import type { Instance, Route, StoreKind } from '../fleet.ts'
import type { Routes } from '../routes.ts'

/** What one request came to. A failed one was answered with an error, or not sent; of an unknown one nobody knows. */
export type Answer =
  | { readonly outcome: 'acknowledged'; readonly stream: string; readonly ids: readonly number[] }
  | { readonly outcome: 'acknowledged'; readonly rule: string; readonly texts: readonly string[] }
  | { readonly outcome: 'failed' | 'unknown' }

/** Asks for ids over one connection, for one thing after the other. */
export interface Client {
  readonly route: Route
  /** The answers to one request, or to several that are sent at once, in their order. Never rejects. */
  ask(): Promise<readonly Answer[]>
  close(): void
}

/** A request without an answer for so long counts as unknown. Longer than an instance lets a request wait. */
export const ANSWER_MS_MAX = 3_000

/** Between requests: the fleet is to be disturbed, not worn out. */
const PAUSE_MS_MAX = 16
const PAUSE_AFTER_FAILURE_MS = 10

/** The sequences, rules and so on of a store, as the checker names them. */
export function streamName(store: StoreKind, name: string): string {
  return `${store}/${name}`
}

/** The stream of a named sequence: a tag may be called as the generator is. */
export function tagStream(store: StoreKind, tag: string): string {
  return streamName(store, `tag ${tag}`)
}

/** Lets a client ask until `signal` aborts. `instance` is the one that answers it, where it is always the same. */
export async function askOnAndOn(
  client: Client,
  instance: Instance | undefined,
  { checker, routes, random, signal }: ClientContext,
): Promise<void> {
  const asker = { name: client.route, last: instance && new Map<string, number>() }
  while (!signal.aborted) {
    const answers = await client.ask()
    for (const answer of answers) {
      routes.record(client.route, answer.outcome)
      if ('ids' in answer) checker.acknowledged(asker, answer.stream, answer.ids)
      if ('texts' in answer)
        for (const text of answer.texts) checker.acknowledgedText(asker, answer.rule, text)
    }
    const isWell = answers.every(({ outcome }) => outcome === 'acknowledged')
    await pause(isWell ? PAUSE_MS_MAX * random() : PAUSE_AFTER_FAILURE_MS)
  }
  client.close()
}

export interface ClientContext {
  readonly checker: Checker
  readonly routes: Routes
  readonly random: () => number
  readonly signal: AbortSignal
}
