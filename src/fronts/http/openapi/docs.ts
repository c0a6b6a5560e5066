import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { TEXT_TYPE } from './responses.ts'
import { StaticFile } from './static-file.ts'
import type { Document } from './types.ts'

/** Where the build puts Swagger UI. From the sources, as in tests, it is that of the last build. */
const FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../../dist/fronts/http/openapi/swagger-ui/' : './swagger-ui/',
  import.meta.url,
)

const SCRIPT_TYPE = 'text/javascript; charset=utf-8'

/** Swagger UI sets styles on its elements and has images in its style sheet; nothing comes from elsewhere. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Headers of all that a browser shows or runs. */
const securityHeaders = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

// Relative addresses, so that it works below a proxy's prefix as well. The icon is empty: there is no /favicon.ico.
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>seqsvr API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. What it shows is in <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`

/**
 * A file of its own, since the policy allows no script in the page. JSON that is tried out is shown as it came: Swagger UI
 * would parse it and show ids above 2^53 rounded, two of them alike (I6). validatorUrl: nothing leaves the machine.
 */
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  plugins: [
    ({ React }) => ({
      wrapComponents: {
        responseBody: (ResponseBody) => (props) =>
          React.createElement(ResponseBody, { ...props, contentType: 'text/plain' }),
      },
    }),
  ],
})
`

/** The files below /docs: Swagger UI, what starts it, and its licences. */
export const docsFileNames = [
  'swagger-ui-bundle.js',
  'swagger-ui.css',
  'start.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'LICENSE',
  'NOTICE',
] as const

/** The reference of the API: the document, the page that shows it, and the page's files by their names. */
export interface Docs {
  readonly document: StaticFile
  readonly page: StaticFile
  readonly files: ReadonlyMap<string, StaticFile>
}

/** Reads Swagger UI from disk, where the build has put it: once, so that no request waits for a disk. */
export function openDocs(document: Document): Docs {
  const file = (contentType: string, body: string | Buffer) =>
    new StaticFile(contentType, gzipSync(body), securityHeaders)
  const copied = (name: string) => readFileSync(new URL(name, FOLDER))
  const compressed = (contentType: string, name: string) =>
    new StaticFile(contentType, copied(`${name}.gz`), securityHeaders)
  const files: Record<(typeof docsFileNames)[number], StaticFile> = {
    'swagger-ui-bundle.js': compressed(SCRIPT_TYPE, 'swagger-ui-bundle.js'),
    'swagger-ui.css': compressed('text/css; charset=utf-8', 'swagger-ui.css'),
    'start.js': file(SCRIPT_TYPE, START),
    'swagger-ui-bundle.js.LICENSE.txt': file(TEXT_TYPE, copied('swagger-ui-bundle.js.LICENSE.txt')),
    LICENSE: file(TEXT_TYPE, copied('LICENSE')),
    NOTICE: file(TEXT_TYPE, copied('NOTICE')),
  }
  return {
    document: file('application/json', JSON.stringify(document)),
    page: file('text/html; charset=utf-8', PAGE),
    files: new Map(Object.entries(files)),
  }
}
