import { adminPaths } from './admin-paths.ts'
import { idPaths } from './id-paths.ts'
import { adminSchemas, schemas } from './schemas.ts'
import { docsPaths, servicePaths } from './service-paths.ts'
import type { Document } from './types.ts'

export interface DocumentOptions {
  /** Of the package. */
  readonly version: string
  readonly requestIdsMax: number
  /** Whether there is an admin API: without one the document does not speak of it. */
  readonly admin: boolean
}

const DESCRIPTION = `Unique 64-bit ids, served from memory.

- **Large ids.** Ids are integers below 2^63 and may exceed 2^53-1, from where JavaScript and others round the numbers they read. \`format=string\` and \`format=text\` are exact everywhere.
- **Failures** carry a code in the header \`seqsvr-error\`. Asking again is always safe: it repeats no id, it leaves a gap at most. 503 comes with \`Retry-After\`, and a load balancer should ask another instance.
- **Caching.** What tells of ids is \`Cache-Control: no-store\`.
- **Other methods and paths.** HEAD and OPTIONS use up no id: HEAD is answered as GET is, or with 200, and OPTIONS with 204 and \`Allow\`. Another method gets 405 with \`Allow\`, another path 404, both with a body as \`Failure\` has it. What makes no sense as HTTP gets 400, 408 or 431.`

/** The description of all that the HTTP front answers in this configuration. */
export function openapiDocument({ version, requestIdsMax, admin }: DocumentOptions): Document {
  return {
    openapi: '3.1.0',
    info: {
      title: 'seqsvr',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: './' }],
    tags: [
      { name: 'ids', description: 'Ids, and what is held of them' },
      { name: 'service', description: 'For load balancers and monitoring' },
      ...(admin ? [{ name: 'administration', description: 'For who has the admin token' }] : []),
      { name: 'reference', description: 'This document' },
    ],
    paths: { ...idPaths(requestIdsMax), ...servicePaths(), ...(admin && adminPaths()), ...docsPaths() },
    components: {
      schemas: { ...schemas, ...(admin && adminSchemas) },
      ...(admin && { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } }),
    },
  }
}
