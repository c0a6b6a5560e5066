import type { IncomingMessage } from 'node:http'
import { FORM_BYTES_MAX } from './limits.ts'

export type Form =
  /** Still encoded: `app_tag=orders&count=5`. Empty when the body is something else. */
  { readonly text: string } | 'too large' | 'aborted'

/** Reads the form in a request's body. */
export async function readForm(incoming: IncomingMessage): Promise<Form> {
  const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  incoming.setEncoding('latin1')
  let text = ''
  try {
    // The rest of a body that is too large is left to the server, which still has to answer on this connection.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.length > FORM_BYTES_MAX) return 'too large'
    }
  } catch {
    return 'aborted'
  }
  return { text: isForm ? text : '' }
}
