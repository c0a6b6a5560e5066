import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Document, Operation, ResponseObject } from '../../src/fronts/http/openapi/types.ts'

/** Headers of the connection and of the body's transport, which no API describes. */
const TRANSPORT = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
]

/** What browsers are told beside the answer: `secureHeaders` of Hono, and their like. */
const BROWSERS = [
  'content-security-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
]

/** The API as it describes itself: what answers are compared with, and what is still to be seen of it. */
export class Reference {
  readonly document: Document
  readonly #ajv: Ajv2020
  readonly #seen = new Set<string>()

  constructor(document: Document) {
    this.document = document
    this.#ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
    addFormats.default(this.#ajv)
    // The document holds schemas and is none itself.
    this.#ajv.addVocabulary(Object.keys(document))
    this.#ajv.addSchema(document, 'document')
  }

  /** What is wrong with a value, as the schema at this place of the document has it. */
  problems(value: unknown, ...place: readonly string[]): string[] {
    const pointer = place.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')))
    const validate = this.#ajv.compile({ $ref: `document#/${pointer.join('/')}` })
    if (validate(value)) return []
    return [this.#ajv.errorsText(validate.errors)]
  }

  /** What is wrong with an answer to `method` on `path`, a key of the document. Notes that it was seen. */
  async problemsOf(method: string, path: string, response: Response): Promise<string[]> {
    const { responses } = this.operations().find(
      (known) => known.path === path && known.method === method,
    ) as { responses: Operation['responses'] }
    const status = responses[response.status] === undefined ? 'default' : String(response.status)
    const { headers, content = {} } = responses[status] as ResponseObject
    const place = ['paths', path, method, 'responses', status]
    const problems: string[] = []

    const known = new Set([
      ...TRANSPORT,
      ...BROWSERS,
      ...Object.keys(headers).map((name) => name.toLowerCase()),
    ])
    for (const name of response.headers.keys())
      if (!known.has(name)) problems.push(`header ${name} is not documented`)
    for (const [name, { required }] of Object.entries(headers)) {
      const value = response.headers.get(name)
      if (value !== null) problems.push(...this.problems(value, ...place, 'headers', name, 'schema'))
      else if (required) problems.push(`header ${name} is missing`)
    }

    const body = await response.text()
    const type = response.headers.get('content-type')
    this.#seen.add([method, path, status, type].join(' '))
    if (type === null) return body === '' ? problems : [...problems, 'a body without a type']
    if (content[type] === undefined) return [...problems, `the type ${type} is not documented`]
    const value = type === 'application/json' ? JSON.parse(body) : body
    return [...problems, ...this.problems(value, ...place, 'content', type, 'schema')]
  }

  /** The documented answers that were not seen, each with each of its types. */
  get unseen(): string[] {
    const documented = this.operations().flatMap(({ path, method, responses }) =>
      Object.entries(responses).flatMap(([status, { content }]) =>
        (content === undefined ? [null] : Object.keys(content)).map((type) =>
          [method, path, status, type].join(' '),
        ),
      ),
    )
    return documented.filter((answer) => !this.#seen.has(answer))
  }

  operations(): (Operation & { readonly path: string; readonly method: string })[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
    )
  }
}
