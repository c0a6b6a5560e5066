import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../../src/fronts/error-table.ts'
import { createHttpApp, type HttpAppOptions } from '../../src/fronts/http/app.ts'
import { idRoutes } from '../../src/fronts/http/id-routes.ts'
import { openapiDocument } from '../../src/fronts/http/openapi/document.ts'
import { errorMeanings } from '../../src/fronts/http/openapi/error-meanings.ts'
import type { Content } from '../../src/fronts/http/openapi/types.ts'
import { StatusPage } from '../../src/fronts/http/page/page.tsx'
import { rows, section } from '../docs/markdown.ts'
import { ask, startInstance } from '../http/instance.ts'
import { Reference } from './reference.ts'

const options = { version: '1.2.3', requestIdsMax: 50, admin: true }
const document = openapiDocument(options)
const bare = openapiDocument({ ...options, admin: false })

describe.each([
  ['with an admin API', document],
  ['without one', bare],
])('the document %s', (_what, described) => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(described)))
    expect([valid, errors, validator.version]).toEqual([true, undefined, '3.1'])
  })

  it('names each operation once, and has a text for each tag', () => {
    const operations = new Reference(described).operations()
    const ids = operations.map(({ operationId }) => operationId)
    expect(ids).toEqual([...new Set(ids)])
    expect(new Set(operations.flatMap(({ tags }) => tags))).toEqual(
      new Set(described.tags.map(({ name }) => name)),
    )
  })

  it('has no schema that nothing refers to', () => {
    const text = JSON.stringify(described)
    const unused = Object.keys(described.components.schemas).filter(
      (name) => !text.includes(`"#/components/schemas/${name}"`),
    )
    expect(unused).toEqual([])
  })
})

describe('the document', () => {
  it('has every route of the front, and no other', () => {
    expect(routesOf(true)).toEqual(documented(true))
    expect(routesOf(false)).toEqual(documented(false))
    expect(JSON.stringify(bare)).not.toContain('admin')
  })

  it('has examples that are as their schemas say', () => {
    const reference = new Reference(document)
    const problems: string[] = []
    const examine = (content: Content | undefined, place: readonly string[]) => {
      for (const [type, { examples = {} }] of Object.entries(content ?? {}))
        for (const [name, { value }] of Object.entries(examples))
          for (const problem of reference.problems(value, ...place, 'content', type, 'schema'))
            problems.push(`${place.join(' ')} ${name}: ${problem}`)
    }
    for (const { path, method, requestBody, responses } of reference.operations()) {
      examine(requestBody?.content, ['paths', path, method, 'requestBody'])
      for (const [status, { content }] of Object.entries(responses))
        examine(content, ['paths', path, method, 'responses', status])
    }
    expect(problems).toEqual([])
  })

  it('has every error code, with the words of docs/api.md, and each with its status somewhere', () => {
    const table = rows(section('docs/api.md', 'Errors'))
    expect(Object.entries(errorMeanings)).toEqual(
      table.map(([code, , meaning]) => [code?.replaceAll('`', ''), meaning]),
    )
    expect(document.components.schemas.ErrorCode?.enum).toEqual(Object.keys(errorTable))
    const given = new Reference(document).operations().flatMap(({ responses }) =>
      Object.entries(responses).flatMap(([status, { headers }]) => {
        const codes = headers['seqsvr-error']?.schema.enum as readonly string[] | undefined
        return (codes ?? []).map((code) => `${code} ${status}`)
      }),
    )
    const missing = Object.entries(errorTable)
      .map(([code, { httpStatus }]) => `${code} ${httpStatus}`)
      .filter((pair) => !given.includes(pair))
    expect(missing).toEqual([])
  })

  it('I9: tells of the limits that are configured', async () => {
    const { url } = await startInstance({ request_ids_max: '50' })
    const [, text] = await ask(`${url}/openapi.json`)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...document })))
    const count = document.paths['/new']?.get?.parameters?.find(({ name }) => name === 'count')
    expect(count?.schema).toEqual({ type: 'integer', minimum: 1, maximum: 50 })
    expect((await ask(`${url}/new?count=50`))[0]).toBe(200)
    expect((await ask(`${url}/new?count=51`))[0]).toBe(400)
  })

  it('I6: says that ids are 64-bit integers, or text', () => {
    expect(document.components.schemas.Id).toMatchObject({ type: 'integer', format: 'int64' })
    expect(document.components.schemas.IdText).toMatchObject({ type: 'string', pattern: '^\\d{1,19}$' })
  })
})

describe('methods that a path does not take', () => {
  it('OPTIONS names those that it takes, HEAD answers without a body, others get 405', async () => {
    const { url } = await startInstance()
    const headers = { authorization: 'Bearer a-token-of-the-tests' }
    for (const [path, item] of Object.entries(document.paths)) {
      const methods = Object.keys(item).map((method) => method.toUpperCase())
      const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
      const target = url + path.replace('{file}', 'start.js').replace('{name}', 'x')
      const allowOf = (response: Response) => response.headers.get('allow')?.split(', ').sort()
      const options = await fetch(target, { method: 'OPTIONS', headers })
      expect([path, options.status, allowOf(options)]).toEqual([path, 204, allowed])
      const other = await fetch(target, { method: 'PATCH', headers })
      expect([path, other.status, allowOf(other)]).toEqual([path, 405, allowed])
      expect(await other.json()).toMatchObject({ code: -1, data: null })
      if (methods.includes('GET')) {
        const head = await fetch(target, { method: 'HEAD', headers })
        expect([path, await head.text()]).toEqual([path, ''])
        expect([200, 400, 500]).toContain(head.status)
      }
    }
    expect((await ask(`${url}/new`))[1]).toContain('"id":100}')
  })
})

/** What the front answers, as `METHOD /path/{parameter}`. Nothing is asked of it. */
function routesOf(admin: boolean): string[] {
  const parts = {
    admin: admin ? { token: 'x'.repeat(16) } : undefined,
    version: '1.2.3',
    requestIdsMax: 50,
  } as HttpAppOptions
  const { routes } = createHttpApp({
    ...parts,
    ids: idRoutes(parts as never),
    page: new StatusPage(parts as never),
  })
  const names = routes
    .filter(({ method }) => method !== 'ALL')
    // The forms and events of the status page are between it and the browser.
    .filter(({ path }) => !path.startsWith('/status/'))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  return [...new Set(names)].sort()
}

function documented(admin: boolean): string[] {
  return new Reference(admin ? document : bare)
    .operations()
    .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    .sort()
}
