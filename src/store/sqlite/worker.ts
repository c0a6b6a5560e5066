import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, SequenceError } from '../../core/errors.ts'
import { type Calls, type CallsOptions, openCalls } from './calls.ts'
import { loadDriver } from './driver.ts'

/** What the main thread asks for. After `close` the worker ends. */
export interface Request {
  readonly id: number
  readonly call: keyof Calls
  readonly args: readonly unknown[]
}

/** An error's own fields, since a message between threads carries no class. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly floor: bigint | undefined
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly refusal: Refusal }

const port = parentPort as MessagePort
const opened = loadDriver().then((driver) => openCalls(driver, workerData as CallsOptions))
opened.catch(() => {}) // Each request meets it below.

port.on('message', async ({ id, call, args }: Request) => {
  if (call === 'close') port.close()
  try {
    const calls = (await opened) as Record<keyof Calls, (...args: readonly unknown[]) => unknown>
    port.postMessage({ id, result: calls[call](...args) } satisfies Answer)
  } catch (error) {
    // Anything else is a mistake in this program: it ends the worker, and the store tells.
    if (!(error instanceof SequenceError)) throw error
    const { code, message, floor } = error
    port.postMessage({ id, refusal: { code, message, floor } } satisfies Answer)
  }
})
