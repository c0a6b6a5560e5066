import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Sequence } from '../../core/sequence.ts'
import { answerLivez, answerReadyz, type Readiness } from './health.ts'
import { answerNew, failureBody } from './new.ts'
import { jsonHeaders, type Reply } from './reply.ts'

export interface HttpAppOptions {
  readonly generator: Sequence
  readonly readiness: Readiness
  /** Most ids that one request may ask for. */
  readonly requestIdsMax: number
}

type Env = { Bindings: HttpBindings }
type Handler = (c: Context<Env>) => Response | Promise<Response>

/**
 * The routes. Each has exactly one handler and no middleware: then Hono and its Node server answer without a
 * promise, which is worth a third of the throughput of `/new`.
 */
export function createHttpApp({ generator, readiness, requestIdsMax }: HttpAppOptions): Hono<Env> {
  const routes: Record<string, Partial<Record<'GET' | 'POST', Handler>>> = {
    '/new': { GET: newId, POST: newId },
    '/livez': { GET: () => respond(answerLivez()) },
    '/readyz': { GET: () => respond(answerReadyz(readiness)) },
  }

  function newId({ env: { incoming } }: Context<Env>): Response | Promise<Response> {
    // Hono runs GET handlers for HEAD; HEAD must not use up an id.
    if (incoming.method === 'HEAD') return respond({ status: 200, headers: jsonHeaders, body: '' })
    const reply = answerNew(
      generator,
      queryOf(incoming.url as string),
      incoming.headers.accept,
      requestIdsMax,
    )
    return reply instanceof Promise ? reply.then(respond) : respond(reply)
  }

  const app = new Hono<Env>()
  for (const [path, methods] of Object.entries(routes))
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler)

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
    const body = failureBody(`method not allowed; ${c.req.path} takes ${allow}`)
    return respond({ status: 405, headers: { ...jsonHeaders, allow }, body })
  })

  // A bug must not go on serving ids: it ends the process, loudly, and the next instance takes over.
  app.onError((error) => {
    process.nextTick(() => {
      throw error
    })
    return respond({ status: 500, headers: jsonHeaders, body: failureBody('internal error') })
  })
  return app
}

function respond({ status, headers, body }: Reply): Response {
  return new Response(body === '' ? null : body, { status, headers })
}

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? '' : target.slice(mark + 1)
}
