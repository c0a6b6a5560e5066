import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import { NOTICE_S, SESSION_S, WRONG_LOGIN_MS, WRONG_LOGINS_MAX } from './limits.ts'

const SESSION = 'seqsvr_session'
const NOTICE = 'seqsvr_notice'

/** A signature does not cover the name of its cookie: the value says what it is for. */
const SESSION_UNTIL = 'session until '
const NOTICE_OF = 'notice '

/**
 * Who has logged in on the page. Nothing is kept for it: a signed cookie says so, and until when. The key comes from
 * the token, so that a session holds on every worker and across restarts, and ends when the token is changed.
 */
export class Sessions {
  readonly #token: Buffer
  readonly #key: string
  #attempts = WRONG_LOGINS_MAX
  #attemptsAtMs = performance.now()

  constructor(token: string) {
    this.#token = digest(token)
    this.#key = createHmac('sha256', token).update('seqsvr status page').digest('hex')
  }

  /** Compares in constant time. Wrong tokens are counted over all clients: after a row of them nobody is let in for a while. */
  check(token: string): 'right' | 'wrong' | 'too many' {
    const nowMs = performance.now()
    const regained = Math.floor((nowMs - this.#attemptsAtMs) / WRONG_LOGIN_MS)
    this.#attempts = Math.min(WRONG_LOGINS_MAX, this.#attempts + regained)
    this.#attemptsAtMs += regained * WRONG_LOGIN_MS
    if (this.#attempts === 0) return 'too many'
    if (timingSafeEqual(digest(token), this.#token)) return 'right'
    this.#attempts--
    return 'wrong'
  }

  async open(c: Context): Promise<void> {
    await this.#set(c, SESSION, `${SESSION_UNTIL}${Date.now() + SESSION_S * 1_000}`, SESSION_S)
  }

  async isOpen(c: Context): Promise<boolean> {
    const value = await getSignedCookie(c, this.#key, SESSION)
    // False where the signature is wrong.
    if (value === undefined || value === false || !value.startsWith(SESSION_UNTIL)) return false
    return Date.now() < Number(value.slice(SESSION_UNTIL.length))
  }

  close(c: Context): void {
    deleteCookie(c, SESSION)
  }

  /** Leaves word for the page that a redirection leads to. */
  async leaveNotice(c: Context, notice: string): Promise<void> {
    await this.#set(c, NOTICE, NOTICE_OF + notice, NOTICE_S)
  }

  async takeNotice(c: Context): Promise<string | undefined> {
    const value = await getSignedCookie(c, this.#key, NOTICE)
    if (value === undefined) return undefined
    deleteCookie(c, NOTICE)
    return value !== false && value.startsWith(NOTICE_OF) ? value.slice(NOTICE_OF.length) : undefined
  }

  async #set(c: Context, name: string, value: string, maxAge: number): Promise<void> {
    await setSignedCookie(c, name, value, this.#key, {
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
      secure: isHttps(c),
      maxAge,
    })
  }
}

/** Whether the browser speaks https with the proxy in front: it says so itself in the origin of a form. */
function isHttps(c: Context): boolean {
  return (
    c.req.header('origin')?.startsWith('https:') === true || c.req.header('x-forwarded-proto') === 'https'
  )
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
