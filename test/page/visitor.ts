import { expect } from 'vitest'
import { ADMIN_TOKEN } from '../http/instance.ts'

/** A browser with a jar for cookies, as far as the page needs one. */
export class Visitor {
  readonly #url: string
  readonly cookies = new Map<string, string>()
  /** The Set-Cookie headers of the last answer. */
  setCookies: string[] = []

  constructor(url: string) {
    this.#url = url
  }

  async get(path = '/'): Promise<{ status: number; body: string; headers: Headers }> {
    return this.#send(path, { headers: { accept: 'text/html' } })
  }

  post(path: string, form: Record<string, string>, headers: Record<string, string> = { origin: this.#url }) {
    return this.#send(path, { method: 'POST', body: new URLSearchParams(form), headers })
  }

  async logIn(): Promise<void> {
    expect((await this.post('/status/login', { token: ADMIN_TOKEN })).status).toBe(303)
  }

  async #send(path: string, init: RequestInit & { headers: Record<string, string> }) {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ')
    const response = await fetch(this.#url + path, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie },
    })
    this.setCookies = response.headers.getSetCookie()
    for (const line of this.setCookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string]
      if (line.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
}
