import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, SequenceError } from '../../core/errors.ts'
import type { Lease } from '../../core/lease.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { loadDriver } from './driver.ts'

/** What the main thread asks for. `close` has no answer: the worker ends. */
export type Request =
  | { readonly call: 'prepare' }
  | { readonly call: 'lease'; readonly ids: number }
  | { readonly call: 'refuse'; readonly floor: bigint }

export type Message = { readonly id: number; readonly request: Request } | 'close'

/** An error's own fields, since a message between threads carries no class. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly floor: bigint | undefined
}

export type Answer =
  | { readonly id: number; readonly leases: readonly Lease[] }
  | { readonly id: number; readonly refusal: Refusal }

const port = parentPort as MessagePort
const opened = loadDriver().then((driver) => new Database(driver, workerData as DatabaseOptions))
opened.catch(() => {}) // Each request meets it below.

port.on('message', async (message: Message) => {
  if (message === 'close') {
    port.close()
    await opened.then(
      (database) => database.close(),
      () => {},
    )
    return
  }
  const { id, request } = message
  try {
    port.postMessage({ id, leases: run(await opened, request) } satisfies Answer)
  } catch (error) {
    // Anything else is a mistake in this program: it ends the worker, and the store tells.
    if (!(error instanceof SequenceError)) throw error
    const { code, message, floor } = error
    port.postMessage({ id, refusal: { code, message, floor } } satisfies Answer)
  }
})

function run(database: Database, request: Request): readonly Lease[] {
  switch (request.call) {
    case 'prepare':
      database.prepare()
      return []
    case 'lease':
      return database.lease(request.ids)
    case 'refuse':
      database.refuse(request.floor)
      return []
  }
}
