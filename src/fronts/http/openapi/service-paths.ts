import { docsFileNames } from './docs.ts'
import { answer, constant, failure, json, refused, text, unavailable } from './responses.ts'
import { ref } from './schemas.ts'
import type { Content, Header, Operation, Parameter, Paths, ResponseObject, Responses } from './types.ts'

const ok = json(ref('Ok'), { ok: { code: 0, msg: 'ok', data: null } })

/** Probes, and what an instance tells of itself. */
export function servicePaths(): Paths {
  return {
    '/livez': {
      get: {
        operationId: 'livez',
        tags: ['service'],
        summary: 'The process answers',
        description: 'It never asks the store.',
        responses: { 200: answer('Always.', ok), ...refused },
      },
    },
    '/readyz': {
      get: {
        operationId: 'readyz',
        tags: ['service'],
        summary: 'This instance should get requests',
        responses: {
          200: answer('It should.', ok),
          503: unavailable(
            'It should not, and why: it drains, has no ids, or refuses the store.',
            failure('draining'),
          ),
          ...refused,
        },
      },
    },
    '/metrics': {
      get: {
        operationId: 'metrics',
        tags: ['service'],
        summary: 'Metrics for Prometheus',
        responses: {
          200: answer('All metrics, with the values of now.', {
            'text/plain; version=0.0.4; charset=utf-8': { schema: { type: 'string' } },
          }),
          ...refused,
        },
      },
    },
    '/': {
      get: {
        operationId: 'status',
        tags: ['service'],
        summary: 'The status page',
        description: 'For browsers, which name text/html in `Accept`. Others get a few lines of text.',
        responses: {
          200: answer(
            'The page, or the text.',
            { 'text/html; charset=utf-8': { schema: { type: 'string' } }, ...text({ type: 'string' }) },
            { Vary: constant('accept') },
          ),
          ...refused,
        },
      },
    },
  }
}

/** This document and the page that shows it. */
export function docsPaths(): Paths {
  return {
    '/openapi.json': {
      get: staticFile({
        operationId: 'openapi',
        summary: 'This document',
        content: { 'application/json': { schema: { type: 'object' } } },
      }),
    },
    '/docs': {
      get: staticFile({
        operationId: 'docs',
        summary: 'The page that shows this document',
        content: { 'text/html; charset=utf-8': { schema: { type: 'string' } } },
      }),
    },
    '/docs/{file}': {
      get: staticFile({
        operationId: 'docsFile',
        summary: 'What the page is made of',
        parameters: [
          {
            name: 'file',
            in: 'path',
            required: true,
            description: 'Its name.',
            schema: { type: 'string', enum: docsFileNames },
          },
        ],
        content: {
          'text/javascript; charset=utf-8': { schema: { type: 'string' } },
          'text/css; charset=utf-8': { schema: { type: 'string' } },
          ...text({ type: 'string' }),
        },
        others: { 404: answer('There is no such file.', failure('no such file')) },
      }),
    },
  }
}

const fileHeaders: ResponseObject['headers'] = {
  'Cache-Control': constant('no-cache', 'Keep it, and ask again with its ETag.'),
  ETag: { required: true, schema: { type: 'string' } } satisfies Header,
  Vary: constant('Accept-Encoding'),
}

interface Served extends Pick<Operation, 'operationId' | 'summary'> {
  readonly parameters?: readonly Parameter[]
  readonly content: Content
  readonly others?: Responses
}

function staticFile({ content, others, ...operation }: Served): Operation {
  return {
    ...operation,
    tags: ['reference'],
    responses: {
      200: { description: 'Compressed where `Accept-Encoding` names gzip.', headers: fileHeaders, content },
      304: { description: 'The client has it: `If-None-Match` names its ETag.', headers: fileHeaders },
      ...others,
      ...refused,
    },
  }
}
