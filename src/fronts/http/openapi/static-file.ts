import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

const decompress = promisify<Buffer<ArrayBuffer>, Buffer<ArrayBuffer>>(gunzip)

interface RequestHeaders {
  readonly 'if-none-match'?: string | undefined
  readonly 'accept-encoding'?: string | string[] | undefined
}

/**
 * A body that stays the same while the process lives, kept compressed. Clients may keep it, ask again with its ETag and
 * get 304. One buffer serves all requests, so that replies which nobody reads hold no memory of their own (I9).
 */
export class StaticFile {
  readonly #gzipped: Buffer<ArrayBuffer>
  /** Made when it is first asked for, by Node's thread pool: it takes 7 ms. */
  #plain: Promise<Buffer<ArrayBuffer>> | undefined
  readonly #etag: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(contentType: string, gzipped: Buffer<ArrayBuffer>, headers: Readonly<Record<string, string>>) {
    this.#gzipped = gzipped
    this.#etag = `"${createHash('sha256').update(gzipped).digest('base64url').slice(0, 22)}"`
    this.#headers = {
      ...headers,
      'content-type': contentType,
      'cache-control': 'no-cache',
      // Weak: the same for both encodings.
      etag: `W/${this.#etag}`,
      vary: 'Accept-Encoding',
    }
  }

  async answer({ 'if-none-match': known, 'accept-encoding': accepted }: RequestHeaders): Promise<Response> {
    if (known?.includes(this.#etag)) {
      const { 'content-type': _type, ...headers } = this.#headers
      return new Response(null, { status: 304, headers })
    }
    if (accepted?.includes('gzip')) {
      const headers = { ...this.#headers, 'content-encoding': 'gzip' }
      return new Response(this.#gzipped, { headers })
    }
    this.#plain ??= decompress(this.#gzipped)
    return new Response(await this.#plain, { headers: this.#headers })
  }
}
