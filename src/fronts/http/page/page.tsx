import { createHash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import type { Child } from 'hono/jsx'
import { secureHeaders } from 'hono/secure-headers'
import { SequenceError } from '../../../core/errors.ts'
import type { InstanceStatus } from '../../../status/status.ts'
import { errorTable } from '../../error-table.ts'
import { type AdminOptions, created } from '../admin.ts'
import { readForm } from '../body.ts'
import { RETRY_AFTER_S, textHeaders } from '../reply.ts'
import { Document, FirstSteps, firstSteps } from './document.tsx'
import { type FleetOf, RecentFleet } from './fleet.ts'
import { LISTENERS_MAX, STORED_SHOWN_MAX, WRONG_LOGIN_MS } from './limits.ts'
import { Listeners } from './listeners.ts'
import { Live, type Snapshot } from './live.tsx'
import { ConfirmRetirement, Login, NoAdministration, Operator, type Stored, type Typed } from './operator.tsx'
import { script } from './script.ts'
import { Sessions } from './sessions.ts'
import { style } from './style.ts'
import { grouped, sentence } from './words.ts'

type Env = { Bindings: HttpBindings }
type PageContext = Context<Env>

export interface PageOptions {
  /** This instance, or each worker of it, as it is now. */
  readonly statuses: () => Promise<readonly InstanceStatus[]>
  /** Asked every few seconds at most. */
  readonly fleet: FleetOf
  /** Undefined where no admin token is configured: then the page only shows. */
  readonly admin: AdminOptions | undefined
}

/** What a request adds to the page. */
interface Told {
  readonly notice?: string
  readonly error?: string
  /** The form that failed, to be filled in again. */
  readonly typed?: Typed
}

/** The status page at `/` and what belongs to it under `/status`. docs/status-page.md tells of it. */
export class StatusPage {
  readonly routes: Hono<Env>
  readonly #options: PageOptions
  readonly #fleet: RecentFleet
  readonly #listeners: Listeners

  constructor(options: PageOptions) {
    this.#options = options
    this.#fleet = new RecentFleet(options.fleet)
    this.#listeners = new Listeners(async () => String(<Live {...(await this.#snapshot())} />))
    this.routes = this.#createRoutes()
  }

  /** Ends the answers to browsers that follow the page. */
  close(): void {
    this.#listeners.close()
  }

  /** Middleware stands in each route: a pattern would reach beyond the page. */
  #createRoutes(): Hono<Env> {
    const routes = new Hono<Env>()
    const headers = secureHeaders(HEADERS)
    const { admin } = this.#options
    const sessions = admin && new Sessions(admin.token)
    routes.get('/', goodHost, headers, (c) => this.#answer(c, sessions))
    routes.get('/status/live', goodHost, headers, (c) => this.#follow(c))
    if (admin === undefined || sessions === undefined) return routes

    const { administration, observe } = admin
    const by = 'page'
    const sameOrigin = csrf()
    const onPost = (path: string, handler: (c: PageContext, form: URLSearchParams) => Promise<Response>) =>
      routes.post(path, goodHost, headers, sameOrigin, async (c) => {
        const form = await readForm(c.env.incoming)
        if (typeof form === 'string') return this.#show(c, sessions, 413, { error: 'The form is too large.' })
        return handler(c, new URLSearchParams(form.text))
      })
    const operation = (path: string, operate: (form: URLSearchParams) => Promise<string | Child>) =>
      onPost(path, async (c, form) => {
        if (!(await sessions.isOpen(c)))
          return this.#show(c, sessions, 401, { error: 'Your login has ended. Nothing was changed.' })
        try {
          const outcome = await operate(form)
          if (typeof outcome !== 'string') return html(c, 'Retire a sequence', true, outcome)
          await sessions.leaveNotice(c, outcome)
          return c.redirect('/', 303)
        } catch (error) {
          if (!(error instanceof SequenceError)) throw error
          return this.#show(c, sessions, errorTable[error.code].httpStatus, {
            error: sentence(error.message),
            typed: { action: path, form },
          })
        }
      })

    onPost('/status/login', async (c, form) => {
      const outcome = sessions.check(form.get('token') ?? '')
      if (outcome === 'wrong') observe({ type: 'wrong token', by })
      if (outcome === 'wrong')
        return this.#show(c, sessions, 403, { error: 'That is not the token of this instance.' })
      if (outcome === 'too many') {
        c.header('retry-after', String(WRONG_LOGIN_MS / 1_000))
        return this.#show(c, sessions, 429, { error: 'Too many wrong tokens. Try again in some seconds.' })
      }
      await sessions.open(c)
      return c.redirect('/', 303)
    })
    onPost('/status/logout', async (c) => {
      sessions.close(c)
      await sessions.leaveNotice(c, 'You have logged out.')
      return c.redirect('/', 303)
    })
    operation('/status/create', async (form) => {
      const name = form.get('name') ?? ''
      const start = readNumber(form, 'start', 'the first id')
      const ids = readNumber(form, 'step', 'the number of ids a lease')
      const step = ids === undefined ? undefined : Number(ids)
      await administration.create(name, start, step)
      observe(created(by, name, start, step))
      return `Created ${name}.`
    })
    operation('/status/advance', async (form) => {
      const name = form.get('name') ?? ''
      const ids = readNumber(form, 'ids', 'the number') ?? 0n
      const maxId =
        form.get('how') === 'to'
          ? await administration.advanceTo(name, ids)
          : await administration.advanceBy(name, ids)
      observe({ type: 'advanced', by, name, numbers: { max_id: String(maxId) } })
      return `Advanced ${name}: its next lease starts at ${grouped(maxId)}.`
    })
    operation('/status/retire', async (form) => {
      const name = form.get('name') ?? ''
      if (form.get('confirmed') !== 'yes') {
        await administration.find(name)
        return <ConfirmRetirement name={name} />
      }
      await administration.retire(name)
      observe({ type: 'retired', by, name, numbers: {} })
      return `Retired ${name}.`
    })

    routes.onError((error, c) => {
      if (!(error instanceof HTTPException)) throw error
      return this.#show(c, sessions, 403, {
        error: 'That form did not come from this page. Nothing was changed.',
      })
    })
    return routes
  }

  async #answer(c: PageContext, sessions: Sessions | undefined): Promise<Response> {
    c.header('vary', 'accept')
    if (!c.req.header('accept')?.includes('text/html')) return this.#help(c)
    const notice = await sessions?.takeNotice(c)
    return this.#show(c, sessions, 200, notice === undefined ? {} : { notice })
  }

  /** For curl: what it is, and what to type next. */
  async #help(c: PageContext): Promise<Response> {
    const { origin } = new URL(c.req.url)
    const [status] = await this.#options.statuses()
    const state = status?.unreadiness == null ? 'ready' : `not ready: ${status.unreadiness}`
    const text = `seqsvr ${status?.version}, ${state}\n\n${firstSteps(origin)}\n\nThe status page: ${origin}/ in a browser\n`
    return c.body(text, 200, textHeaders)
  }

  #follow(c: PageContext): Response {
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Proxies would keep the events back.
      'x-accel-buffering': 'no',
      // Ends with its connection, so that draining leaves none idle.
      connection: 'close',
    }
    // Hono runs GET handlers for HEAD, and nobody would read that body.
    if (c.env.incoming.method === 'HEAD') return c.body(null, 200, headers)
    const stream = this.#listeners.join(c.env.outgoing)
    if (stream !== undefined) return c.body(stream, 200, headers)
    const busy = `${LISTENERS_MAX} browsers follow this page already; it works by reload\n`
    return c.body(busy, 503, { ...textHeaders, 'retry-after': RETRY_AFTER_S })
  }

  async #show(
    c: PageContext,
    sessions: Sessions | undefined,
    status: Parameters<typeof html>[4],
    { notice, error, typed }: Told,
  ): Promise<Response> {
    const snapshot = await this.#snapshot()
    const loggedIn = status !== 401 && (await sessions?.isOpen(c)) === true
    const unused = snapshot.statuses.every(({ sequences }) => sequences.every(({ issued }) => issued === 0))
    return html(
      c,
      'seqsvr',
      loggedIn,
      <>
        {notice !== undefined && (
          <p class="message" role="status">
            {notice}
          </p>
        )}
        {error !== undefined && (
          <p class="message fault" role="alert">
            {error}
          </p>
        )}
        <div id="live">
          <Live {...snapshot} />
        </div>
        <FirstSteps origin={new URL(c.req.url).origin} open={unused} />
        {loggedIn ? (
          <Operator stored={await this.#stored(c, snapshot)} typed={typed} />
        ) : sessions === undefined ? (
          <NoAdministration />
        ) : (
          <Login />
        )}
      </>,
      status,
      true,
    )
  }

  async #snapshot(): Promise<Snapshot> {
    return { statuses: await this.#options.statuses(), fleet: this.#fleet.members, nowMs: Date.now() }
  }

  async #stored(c: PageContext, { statuses }: Snapshot): Promise<Stored> {
    // Known to be out: asking would take as long as the longest deadline.
    for (const { store } of statuses)
      if (store.fault !== null) return { refusal: 'Not to be had while the store has a fault.' }
    const after = c.req.query('after') ?? ''
    try {
      const rows = await (this.#options.admin as AdminOptions).administration.list(
        after,
        STORED_SHOWN_MAX + 1,
      )
      return { rows, after }
    } catch (error) {
      if (!(error instanceof SequenceError)) throw error
      return { refusal: error.message }
    }
  }
}

/** The request's URL is put together from Host: read as one, here or by Hono, what is none would end the process as a bug does. */
const goodHost: MiddlewareHandler<Env> = async (c, next) => {
  if (!URL.canParse(c.req.url)) return c.body('malformed Host\n', 400, textHeaders)
  return next()
}

const HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [hashSource(style)],
    scriptSrc: [hashSource(script)],
    connectSrc: ["'self'"],
    imgSrc: ['data:'],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  // With no-referrer browsers send `Origin: null` even to us, and a form could not be told from a foreign one.
  referrerPolicy: 'same-origin',
  // The proxy's to decide, which speaks https.
  strictTransportSecurity: false,
  // Browsers complain of these two on plain http.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** A number of a form, which may have separators, as the page shows them; undefined when it was left empty. */
function readNumber(form: URLSearchParams, name: string, what: string): bigint | undefined {
  const text = (form.get(name) ?? '').replaceAll(/[,\s]/g, '')
  if (text === '') return undefined
  if (!/^\d{1,19}$/.test(text)) throw new SequenceError('BAD_REQUEST', `${what} must be in digits`)
  return BigInt(text)
}

function html(
  c: PageContext,
  title: string,
  loggedIn: boolean,
  content: Child,
  status: 200 | 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503 = 200,
  live = false,
): Response {
  const page = String(
    <Document title={title} loggedIn={loggedIn} live={live}>
      {content}
    </Document>,
  )
  return c.body(`<!doctype html>${page}`, status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  })
}
