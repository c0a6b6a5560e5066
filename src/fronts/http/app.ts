import type { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { METHOD_NAME_ALL } from 'hono/router'
import { getPath } from 'hono/utils/url'
import { SequenceError } from '../../core/errors.ts'
import type { Sequences } from '../../core/sequences.ts'
import type { Rules } from '../../rules/rules.ts'
import type { Tally } from '../tally.ts'
import { type AdminOptions, createAdminApp } from './admin.ts'
import { answerHealth } from './alloc.ts'
import { readForm } from './body.ts'
import { counted, type IdRoute, type IdRoutes } from './id-routes.ts'
import { FORM_BYTES_MAX, ID_REPLY_BYTES } from './limits.ts'
import { toMetricsReply } from './metrics.ts'
import { openDocs } from './openapi/docs.ts'
import { openapiDocument } from './openapi/document.ts'
import type { StatusPage } from './page/page.tsx'
import { answerLivez, answerReadyz, type Readiness } from './probes.ts'
import { failureBody, jsonHeaders, RETRY_AFTER_S, type Reply } from './reply.ts'
import { answerRuleRequest } from './rule.ts'
import { UnreadReplies } from './unread.ts'

export interface HttpAppOptions {
  readonly ids: IdRoutes
  readonly sequences: Sequences
  readonly rules: Rules
  readonly readiness: Readiness
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<string>
  readonly tally: Tally
  /** Most ids that one request may ask for. */
  readonly requestIdsMax: number
  /** Of the package. */
  readonly version: string
  /** Undefined where no admin token is configured: then there is no admin API. */
  readonly admin: AdminOptions | undefined
  readonly page: StatusPage
}

type Env = { Bindings: HttpBindings }
type Handler = (c: Context<Env>) => Response | Promise<Response>

/**
 * The routes. Each has exactly one handler and no middleware: then Hono and its Node server answer without a
 * promise, which is worth a third of the throughput of `/new`.
 */
export function createHttpApp({
  ids,
  sequences,
  rules,
  readiness,
  metrics,
  tally,
  requestIdsMax,
  version,
  admin,
  page,
}: HttpAppOptions): Hono<Env> {
  const unread = new UnreadReplies()
  const docs = openDocs(openapiDocument({ version, requestIdsMax, admin: admin !== undefined }))
  const health = counted((query) => answerHealth(sequences, query), tally)
  const rule = counted((query, accept) => answerRuleRequest(rules, query, accept, requestIdsMax), tally)
  const routes: Record<string, Partial<Record<'GET' | 'POST', Handler>>> = {
    ...Object.fromEntries([...ids].map(([path, answer]) => [path, idRoute(answer, unread, tally)])),
    '/health': { ...idRoute(health, unread, tally), GET: healthOf },
    '/rule': idRoute(rule, unread, tally),
    '/livez': { GET: () => respond(answerLivez()) },
    '/readyz': { GET: () => respond(answerReadyz(readiness)) },
    '/metrics': { GET: () => metricsReply().then(respond) },
    '/openapi.json': { GET: ({ env }) => docs.document.answer(env.incoming.headers) },
    '/docs': { GET: ({ env }) => docs.page.answer(env.incoming.headers) },
    '/docs/:file': {
      GET: ({ req, env }) =>
        docs.files.get(req.param('file') as string)?.answer(env.incoming.headers) ??
        refuse(404, `no such file; there are ${[...docs.files.keys()].join(', ')}`),
    },
  }

  // One text for all who ask at the same time: it takes a millisecond of all other requests.
  let metricsUnderWay: Promise<Reply> | undefined
  function metricsReply(): Promise<Reply> {
    metricsUnderWay ??= metrics()
      .then(toMetricsReply)
      .finally(() => {
        metricsUnderWay = undefined
      })
    return metricsUnderWay
  }

  // Uses up no id, so that HEAD may be answered like GET.
  async function healthOf({ env: { incoming } }: Context<Env>): Promise<Response> {
    return respond(await health(queryOf(incoming.url as string), undefined))
  }

  const app = new Hono<Env>({ getPath: pathOf })
  for (const [path, methods] of Object.entries(routes))
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler)

  if (admin !== undefined) app.route('/admin', createAdminApp(admin))
  app.route('/', page.routes)

  app.notFound((c) => {
    const methods = methodsOf(app, c.req.path)
    if (methods.length === 0) {
      const paths = ['/', ...Object.keys(routes).filter((path) => !path.includes(':'))].join(', ')
      return respond({
        status: 404,
        headers: jsonHeaders,
        body: failureBody(`no such path; there are ${paths}`),
      })
    }
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    if (c.req.method === 'OPTIONS') return respond({ status: 204, headers: { allow }, body: '' })
    return refuse(405, `method not allowed; ${c.req.path} takes ${allow}`, { allow })
  })

  // A bug must not go on serving ids: it ends the process, loudly, and the next instance takes over.
  app.onError((error) => {
    process.nextTick(() => {
      throw error
    })
    return refuse(500, 'internal error')
  })
  return app
}

/** The methods that a path takes. What stands before all methods, as the check of the admin token does, is no route. */
function methodsOf({ router, routes }: Hono<Env>, path: string): string[] {
  const methods = new Set(routes.map(({ method }) => method))
  return [...methods].filter((method) =>
    router
      .match(method, path)[0]
      .some(([[, route]]) => route.method === method && method !== METHOD_NAME_ALL),
  )
}

/** A route whose parameters come with the target, or as the form of a POST as well. */
function idRoute(answer: IdRoute, unread: UnreadReplies, tally: Tally): { GET: Handler; POST: Handler } {
  const deliver = (reply: Reply, outgoing: ServerResponse): Response => {
    unread.add(reply.body.length, outgoing)
    return respond(reply)
  }
  const ask = (query: string, { incoming, outgoing }: HttpBindings): Response | Promise<Response> => {
    if (query !== '' && unread.refuses(bytesAskedFor(query))) {
      tally.failed(UNREAD)
      return refuse(503, `${UNREAD.code}: ${UNREAD.message}`, TRY_LATER)
    }
    const reply = answer(query, incoming.headers.accept)
    if (!(reply instanceof Promise)) return deliver(reply, outgoing)
    // What waits for ids is a reply that is unread yet: or many could wait that are too large together.
    const expected = query === '' ? 0 : bytesAskedFor(query)
    unread.expect(expected)
    return reply.then((late) => {
      unread.expect(-expected)
      return deliver(late, outgoing)
    })
  }
  return {
    GET: ({ env }) => {
      const { incoming } = env
      // Hono runs GET handlers for HEAD; HEAD must not use up an id.
      if (incoming.method === 'HEAD') return respond({ status: 200, headers: jsonHeaders, body: '' })
      return ask(queryOf(incoming.url as string), env)
    },
    POST: async ({ env }) => {
      const { incoming } = env
      const form = await readForm(incoming)
      if (form === 'too large') return refuse(413, `the form is too large: at most ${FORM_BYTES_MAX} bytes`)
      if (form === 'aborted') return refuse(400, 'the request was not complete')
      const query = queryOf(incoming.url as string)
      return ask(form.text === '' ? query : `${query}&${form.text}`, env)
    },
  }
}

const SLASH = 0x2f

const UNREAD = new SequenceError('TOO_MANY_WAITERS', 'clients read too slowly; try again later')
const TRY_LATER = { 'retry-after': RETRY_AFTER_S, 'seqsvr-error': 'TOO_MANY_WAITERS' }

function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return respond({ status, headers: { ...jsonHeaders, ...headers }, body: failureBody(message) })
}

/** The reply itself is the Response's init: one object less for each request. */
function respond(reply: Reply): Response {
  return new Response(reply.body === '' ? null : reply.body, reply)
}

/** Hono's own way reads the path out of a URL that its Node server has put together from Host and target. */
function pathOf(request: Request, options?: { env?: HttpBindings }): string {
  const target = options?.env?.incoming.url
  if (target === undefined || target.charCodeAt(0) !== SLASH || target.includes('%')) return getPath(request)
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

/** About the bytes of the reply to a query. Read as the request is, however `count` is spelt. */
function bytesAskedFor(query: string): number {
  const count = Number(new URLSearchParams(query).get('count') ?? 1)
  return Number.isNaN(count) ? 0 : count * ID_REPLY_BYTES
}

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? '' : target.slice(mark + 1)
}
