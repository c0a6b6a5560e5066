import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ask, startInstance } from '../http/instance.ts'

const run = promisify(execFile)
const DIST = 'node_modules/swagger-ui-dist'

describe('/docs', () => {
  it.each([
    ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['swagger-ui.css', 'text/css; charset=utf-8'],
    ['swagger-ui-bundle.js.LICENSE.txt', 'text/plain; charset=utf-8'],
    ['LICENSE', 'text/plain; charset=utf-8'],
    ['NOTICE', 'text/plain; charset=utf-8'],
  ])('%s is that of Swagger UI, compressed or not', async (name, type) => {
    const { url } = await startInstance()
    const original = readFileSync(`${DIST}/${name}`, 'utf8')
    for (const encoding of ['gzip', 'identity']) {
      const response = await fetch(`${url}/docs/${name}`, { headers: { 'accept-encoding': encoding } })
      expect(response.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null)
      expect(response.headers.get('content-type')).toBe(type)
      expect((await response.text()) === original).toBe(true)
    }
  })

  it('lets nothing but its own origin into the page', async () => {
    const { url } = await startInstance()
    const { headers } = await fetch(`${url}/docs`)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    const [, page] = await ask(`${url}/docs`)
    expect(page).not.toMatch(/https?:/)
  })

  it('is kept by browsers, which ask whether it has changed', async () => {
    const { url } = await startInstance()
    const first = await fetch(`${url}/docs/swagger-ui-bundle.js`)
    const etag = first.headers.get('etag') as string
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const again = await fetch(`${url}/docs/swagger-ui-bundle.js`, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    // Another configuration, another document.
    const { url: other } = await startInstance({ request_ids_max: '5' })
    const changed = await fetch(`${other}/openapi.json`, {
      headers: { 'if-none-match': (await fetch(`${url}/openapi.json`)).headers.get('etag') as string },
    })
    expect(changed.status).toBe(200)
  })

  it('serves no other file', async () => {
    const { url } = await startInstance()
    for (const name of ['swagger-ui.js', 'docs.js', '..%2Fdocs.js', '%2e%2e%2fpackage.json'])
      expect([name, (await ask(`${url}/docs/${name}`))[0]]).toEqual([name, 404])
  })

  it('is in the package, with its licence and notices', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--silent'])
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
    const packed = files.map(({ path }) => path)
    expect(packed).toEqual(
      expect.arrayContaining(
        [
          'swagger-ui-bundle.js.gz',
          'swagger-ui.css.gz',
          'swagger-ui-bundle.js.LICENSE.txt',
          'LICENSE',
          'NOTICE',
        ].map((name) => `dist/fronts/http/openapi/swagger-ui/${name}`),
      ),
    )
  })
})
