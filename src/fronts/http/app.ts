import type { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import type { Sequence } from '../../core/sequence.ts'
import type { Sequences } from '../../core/sequences.ts'
import type { Rules } from '../../rules/rules.ts'
import { type AdminOptions, createAdminApp } from './admin.ts'
import { answerAlloc, answerHealth } from './alloc.ts'
import { readForm } from './body.ts'
import { FORM_BYTES_MAX } from './limits.ts'
import { answerNew } from './new.ts'
import { answerLivez, answerReadyz, type Readiness } from './probes.ts'
import { failureBody, jsonHeaders, RETRY_AFTER_S, type Reply } from './reply.ts'
import { answerRuleRequest } from './rule.ts'
import { UnreadReplies } from './unread.ts'

export interface HttpAppOptions {
  readonly generator: Sequence
  readonly sequences: Sequences
  readonly rules: Rules
  readonly readiness: Readiness
  /** Most ids that one request may ask for. */
  readonly requestIdsMax: number
  /** Undefined where no admin token is configured: then there is no admin API. */
  readonly admin: AdminOptions | undefined
}

type Env = { Bindings: HttpBindings }
type Handler = (c: Context<Env>) => Response | Promise<Response>
type Answer = (query: string, accept: string | undefined) => Reply | Promise<Reply>

/**
 * The routes. Each has exactly one handler and no middleware: then Hono and its Node server answer without a
 * promise, which is worth a third of the throughput of `/new`.
 */
export function createHttpApp({
  generator,
  sequences,
  rules,
  readiness,
  requestIdsMax,
  admin,
}: HttpAppOptions): Hono<Env> {
  const unread = new UnreadReplies()
  const routes: Record<string, Partial<Record<'GET' | 'POST', Handler>>> = {
    '/new': idRoute((query, accept) => answerNew(generator, query, accept, requestIdsMax), unread),
    '/alloc': idRoute((query, accept) => answerAlloc(sequences, query, accept, requestIdsMax), unread),
    '/health': { ...idRoute((query) => answerHealth(sequences, query), unread), GET: healthOf },
    '/rule': idRoute((query, accept) => answerRuleRequest(rules, query, accept, requestIdsMax), unread),
    '/livez': { GET: () => respond(answerLivez()) },
    '/readyz': { GET: () => respond(answerReadyz(readiness)) },
  }

  // Uses up no id, so that HEAD may be answered like GET.
  function healthOf({ env: { incoming } }: Context<Env>): Promise<Response> {
    return answerHealth(sequences, queryOf(incoming.url as string)).then(respond)
  }

  const app = new Hono<Env>({ getPath: pathOf })
  for (const [path, methods] of Object.entries(routes))
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler)

  if (admin !== undefined) app.route('/admin', createAdminApp(admin))

  app.notFound((c) => {
    const methods = routes[c.req.path]
    if (methods === undefined) {
      const paths = Object.keys(routes).join(', ')
      return respond({
        status: 404,
        headers: jsonHeaders,
        body: failureBody(`no such path; there are ${paths}`),
      })
    }
    const allow = [...Object.keys(methods), 'HEAD', 'OPTIONS'].join(', ')
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

/** A route whose parameters come with the target, or as the form of a POST as well. */
function idRoute(answer: Answer, unread: UnreadReplies): { GET: Handler; POST: Handler } {
  const deliver = (reply: Reply, outgoing: ServerResponse): Response => {
    unread.add(reply.body.length, outgoing)
    return respond(reply)
  }
  const ask = (query: string, { incoming, outgoing }: HttpBindings): Response | Promise<Response> => {
    if (query !== '' && unread.isFull)
      return refuse(503, 'TOO_MANY_WAITERS: clients read too slowly; try again later', TRY_LATER)
    const reply = answer(query, incoming.headers.accept)
    return reply instanceof Promise ? reply.then((late) => deliver(late, outgoing)) : deliver(reply, outgoing)
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

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? '' : target.slice(mark + 1)
}
