import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 10

/** Polls until `condition` holds. Rejects when it does not within `msMax`, or as soon as it rejects. */
export async function until(msMax: number, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + msMax
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${msMax} ms: ${condition}`)
    await delay(POLL_MS)
  }
}
