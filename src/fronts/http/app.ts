import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Sequence } from '../../core/sequence.ts'
import type { Sequences } from '../../core/sequences.ts'
import { type AdminOptions, createAdminApp } from './admin.ts'
import { answerAlloc, answerHealth } from './alloc.ts'
import { readForm } from './form.ts'
import { answerNew } from './new.ts'
import { answerLivez, answerReadyz, type Readiness } from './probes.ts'
import { failureBody, jsonHeaders, type Reply } from './reply.ts'

export interface HttpAppOptions {
  readonly generator: Sequence
  readonly sequences: Sequences
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
  readiness,
  requestIdsMax,
  admin,
}: HttpAppOptions): Hono<Env> {
  const routes: Record<string, Partial<Record<'GET' | 'POST', Handler>>> = {
    '/new': idRoute((query, accept) => answerNew(generator, query, accept, requestIdsMax)),
    '/alloc': idRoute((query, accept) => answerAlloc(sequences, query, accept, requestIdsMax)),
    '/health': { ...idRoute((query) => answerHealth(sequences, query)), GET: healthOf },
    '/livez': { GET: () => respond(answerLivez()) },
    '/readyz': { GET: () => respond(answerReadyz(readiness)) },
  }

  // Uses up no id, so that HEAD may be answered like GET.
  function healthOf({ env: { incoming } }: Context<Env>): Promise<Response> {
    return answerHealth(sequences, queryOf(incoming.url as string)).then(respond)
  }

  const app = new Hono<Env>()
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
function idRoute(answer: Answer): { GET: Handler; POST: Handler } {
  return {
    GET: ({ env: { incoming } }) => {
      // Hono runs GET handlers for HEAD; HEAD must not use up an id.
      if (incoming.method === 'HEAD') return respond({ status: 200, headers: jsonHeaders, body: '' })
      return respondTo(answer(queryOf(incoming.url as string), incoming.headers.accept))
    },
    POST: async ({ env: { incoming } }) => {
      const form = await readForm(incoming)
      if (form === 'too large') return refuse(413, 'the form is too large')
      if (form === 'aborted') return refuse(400, 'the request was not complete')
      const query = queryOf(incoming.url as string)
      return respondTo(answer(form.text === '' ? query : `${query}&${form.text}`, incoming.headers.accept))
    },
  }
}

function respondTo(reply: Reply | Promise<Reply>): Response | Promise<Response> {
  return reply instanceof Promise ? reply.then(respond) : respond(reply)
}

function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return respond({ status, headers: { ...jsonHeaders, ...headers }, body: failureBody(message) })
}

/** The reply itself is the Response's init: one object less for each request. */
function respond(reply: Reply): Response {
  return new Response(reply.body === '' ? null : reply.body, reply)
}

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? '' : target.slice(mark + 1)
}
