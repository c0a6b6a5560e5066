import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { HTTPException } from 'hono/http-exception'
import type * as z from 'zod'
import type { Administration } from '../../core/administration.ts'
import { SequenceError } from '../../core/errors.ts'
import { SEGMENT_STEP } from '../../core/limits.ts'
import type { Sequences } from '../../core/sequences.ts'
import type { LeaseRecord, SegmentRow } from '../../core/store.ts'
import { errorTable } from '../error-table.ts'
import { advance, advanceAll, creation, page, whois } from './admin-requests.ts'
import { readBody } from './body.ts'
import { ADMIN_BODY_BYTES_MAX } from './limits.ts'
import { errorHeaders, failureBody, jsonHeaders } from './reply.ts'

type Env = { Bindings: HttpBindings }

/** What a person did by way of the admin API or the page, or tried with a wrong token: for the log. */
export type AdminEvent =
  | {
      readonly type: 'created' | 'advanced' | 'retired'
      readonly by: AdminWay
      /** null: the generator and every named sequence. */
      readonly name: string | null
      /** What it was done with, and what came of it. */
      readonly numbers: Readonly<Record<string, string | number>>
    }
  | { readonly type: 'wrong token'; readonly by: AdminWay }

type AdminWay = 'admin API' | 'page'

export interface AdminOptions {
  readonly administration: Administration
  /** What this instance holds, for the list. */
  readonly sequences: Sequences
  /** Who has it may do everything here. Compared in constant time. */
  readonly token: string
  /** Hears of each change after it was made, and of each wrong token. */
  readonly observe: (event: AdminEvent) => void
}

/** The admin API, to be mounted at /admin. docs/api.md tells of each request. */
export function createAdminApp({
  administration,
  sequences,
  token,
  observe,
}: AdminOptions): Hono<{ Bindings: HttpBindings }> {
  const by = 'admin API'
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(
    bearerAuth({
      token,
      realm: 'seqsvr',
      noAuthenticationHeader: { message: unauthorized },
      invalidAuthenticationHeader: { message: unauthorized },
      invalidToken: {
        message: () => {
          observe({ type: 'wrong token', by })
          return wrongToken
        },
      },
    }),
  )
  app.get('/sequences', async (c) => {
    const { after, limit } = parse(page, c.req.query())
    return ok(c, {
      sequences: (await administration.list(after, limit)).map((row) => describe(row, sequences)),
    })
  })
  app.post('/sequences', async (c) => {
    const { name, start, step } = parse(creation, await json(c))
    await administration.create(name, start, step)
    observe(created(by, name, start, step))
    return ok(c, { name }, 201)
  })
  app.post('/sequences/:name/advance', async (c) => {
    const name = c.req.param('name')
    const body = parse(advance, await json(c))
    const maxId =
      'to' in body
        ? await administration.advanceTo(name, body.to)
        : await administration.advanceBy(name, body.by)
    observe({ type: 'advanced', by, name, numbers: { max_id: String(maxId) } })
    return ok(c, { name, max_id: String(maxId) })
  })
  app.delete('/sequences/:name', async (c) => {
    const name = c.req.param('name')
    await administration.retire(name)
    observe({ type: 'retired', by, name, numbers: {} })
    return ok(c, { name })
  })
  app.post('/advance', async (c) => {
    const { by: ids } = parse(advanceAll, await json(c))
    const { moved, failures } = await administration.advanceAllBy(ids)
    const numbers = { ids: String(ids), advanced: moved, failures: failures.length }
    observe({ type: 'advanced', by, name: null, numbers })
    return ok(c, { advanced: moved, failures: failures.map(({ code, message }) => `${code}: ${message}`) })
  })

  app.get('/whois', async (c) => {
    const { id, sequence } = parse(whois, c.req.query())
    const record = await administration.whois(id, sequence)
    return ok(c, {
      id: String(id),
      sequence: sequence ?? null,
      lease: record === undefined ? null : describeLease(record),
    })
  })

  app.onError((error, c) => {
    if (error instanceof HTTPException) return uncached(error.getResponse())
    if (!(error instanceof SequenceError)) throw error
    return c.body(
      failureBody(`${error.code}: ${error.message}`),
      errorTable[error.code].httpStatus,
      errorHeaders(error),
    )
  })
  return app
}

const unauthorized = {
  code: -1,
  msg: 'UNAUTHORIZED: send the header Authorization: Bearer <admin token>',
  data: null,
}

const wrongToken = { code: -1, msg: 'UNAUTHORIZED: the token is wrong', data: null }

/** The event of a sequence that was made, with the defaults of `Administration.create`. */
export function created(by: AdminWay, name: string, start = 1n, step = SEGMENT_STEP): AdminEvent {
  return { type: 'created', by, name, numbers: { start: String(start), step } }
}

function describe({ name, maxId, step }: SegmentRow, sequences: Sequences) {
  const held = sequences.held(name)
  return {
    name,
    max_id: String(maxId),
    step: Number(step),
    held:
      held === undefined
        ? null
        : { left: held.left, waiting: held.waiting, fault: held.fault?.message ?? null },
  }
}

function describeLease({ start, end, instance, timeMs }: LeaseRecord) {
  return {
    start: String(start),
    end: String(end),
    instance,
    leased_at: new Date(timeMs).toISOString(),
  }
}

async function json({ env: { incoming } }: Context<Env>): Promise<unknown> {
  const body = await readBody(incoming, ADMIN_BODY_BYTES_MAX)
  if (body === 'too large') throw new HTTPException(413, { res: tooLarge() })
  if (body === 'aborted') throw new SequenceError('BAD_REQUEST', 'the request was not complete')
  try {
    return JSON.parse(body.text)
  } catch {
    throw new SequenceError('BAD_REQUEST', 'the body must be JSON')
  }
}

function tooLarge(): Response {
  const body = failureBody(`the body is too large: at most ${ADMIN_BODY_BYTES_MAX} bytes`)
  return new Response(body, { status: 413, headers: jsonHeaders })
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { error: inWords })
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim())
  // zod tells of each rule that a number breaks, in the same words here.
  throw new SequenceError('BAD_REQUEST', [...new Set(problems)].join('; '))
}

/** What zod says in its own terms, in words for people; where a schema says it itself, that stands. */
function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `unknown field ${JSON.stringify(key)}`).join(', ')
  if (issue.code === 'invalid_type' && issue.expected === 'object') return 'the body must be a JSON object'
  return undefined
}

function uncached(response: Response): Response {
  response.headers.set('cache-control', 'no-store')
  return response
}

function ok(c: Context, data: unknown, status: 200 | 201 = 200): Response {
  return c.json({ code: 0, msg: 'ok', data }, status, { 'cache-control': 'no-store' })
}
