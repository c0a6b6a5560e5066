import type { IncomingMessage } from 'node:http'
import { FORM_BYTES_MAX } from './limits.ts'

export type Body = { readonly text: string } | 'too large' | 'aborted'

/** Reads a request's body, as UTF-8. */
export async function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Body> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // The rest of a body that is too large is left to the server, which still has to answer on this connection.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > bytesMax) return 'too large'
    }
  } catch {
    return 'aborted'
  }
  return { text: Buffer.concat(chunks).toString() }
}

/** Reads the form in a request's body, still encoded: `app_tag=orders&count=5`. Empty when the body is something else. */
export async function readForm(incoming: IncomingMessage): Promise<Body> {
  const body = await readBody(incoming, FORM_BYTES_MAX)
  const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  return isForm || typeof body === 'string' ? body : { text: '' }
}
