import { SequenceError } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import type { Output } from './output.ts'

/** The version of the protocol that a connection speaks: 2 until HELLO 3. */
export type Protocol = 2 | 3

/** An answer before it meets the wire. Those that only RESP3 knows leave as RESP2's next of kin. */
export type Reply =
  | { readonly type: 'simple'; readonly text: string }
  /** `text` starts with the error's code in capitals. */
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'integer'; readonly value: Id }
  | { readonly type: 'bulk'; readonly value: string | Uint8Array }
  /** An id as a bulk string: exact in every client, also beyond 2^53. */
  | { readonly type: 'id'; readonly id: Id }
  /** Text for people: `txt` in RESP3. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'nil' }
  | { readonly type: 'array'; readonly items: readonly Reply[] }
  | { readonly type: 'map'; readonly entries: readonly (readonly [key: string, value: Reply])[] }

export const OK: Reply = { type: 'simple', text: 'OK' }
export const NIL: Reply = { type: 'nil' }

export function bulk(value: string | Uint8Array): Reply {
  return { type: 'bulk', value }
}

export function integer(value: Id): Reply {
  return { type: 'integer', value }
}

export function array(items: readonly Reply[]): Reply {
  return { type: 'array', items }
}

/** An error with redis-server's general code. */
export function err(text: string): Reply {
  return { type: 'error', text: `ERR ${text}` }
}

/** The reply to a command that failed. Anything but an operating error is a bug and is thrown on. */
export function failure(error: unknown): Reply {
  if (!(error instanceof SequenceError)) throw error
  return { type: 'error', text: `${error.code} ${error.message}` }
}

/** Writes a reply as `protocol` wants it. */
export function encode(reply: Reply, protocol: Protocol, output: Output): void {
  switch (reply.type) {
    case 'simple':
      output.text(`+${reply.text}\r\n`)
      return
    case 'error':
      // One line, or it would be several replies: names and arguments of the client's may be quoted in it.
      output.text(`-${reply.text.replace(/[\r\n]/g, ' ')}\r\n`)
      return
    case 'integer':
      if (reply.value < 0) output.text(`:${reply.value}\r\n`)
      else output.integer(reply.value)
      return
    case 'id':
      output.bulkId(reply.id)
      return
    case 'bulk':
      encodeBulk(reply.value, output)
      return
    case 'text':
      if (protocol === 2) encodeBulk(reply.text, output)
      else output.text(`=${Buffer.byteLength(reply.text) + 4}\r\ntxt:${reply.text}\r\n`)
      return
    case 'nil':
      output.text(protocol === 2 ? '$-1\r\n' : '_\r\n')
      return
    case 'array':
      output.text(`*${reply.items.length}\r\n`)
      for (const item of reply.items) encode(item, protocol, output)
      return
    case 'map':
      output.text(protocol === 2 ? `*${reply.entries.length * 2}\r\n` : `%${reply.entries.length}\r\n`)
      for (const [key, value] of reply.entries) {
        encodeBulk(key, output)
        encode(value, protocol, output)
      }
  }
}

function encodeBulk(value: string | Uint8Array, output: Output): void {
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  output.text(`$${length}\r\n`)
  if (typeof value === 'string') output.text(value)
  else output.raw(value)
  output.text('\r\n')
}
