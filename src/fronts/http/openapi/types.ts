/** As much of OpenAPI 3.1 as the document uses. */
export interface Document {
  readonly openapi: '3.1.0'
  readonly info: {
    readonly title: string
    readonly version: string
    readonly description: string
    readonly license: { readonly name: string; readonly identifier: string }
  }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Paths
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes?: Readonly<Record<string, { readonly type: 'http'; readonly scheme: 'bearer' }>>
  }
}

export type Method = 'get' | 'post' | 'delete'
export type PathItem = { readonly [method in Method]?: Operation }
export type Paths = Readonly<Record<string, PathItem>>

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Responses
}

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly required?: boolean
  readonly description: string
  readonly schema: Schema
}

/** By status, or `default`. */
export type Responses = Readonly<Record<string, ResponseObject>>

export interface ResponseObject {
  readonly description: string
  readonly headers: Readonly<Record<string, Header>>
  readonly content?: Content
}

export interface Header {
  readonly description?: string
  readonly required: boolean
  readonly schema: Schema
}

/** By media type. */
export type Content = Readonly<Record<string, MediaType>>

export interface MediaType {
  readonly schema: Schema
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

/** JSON Schema, dialect 2020-12. */
export type Schema = Readonly<Record<string, unknown>>
