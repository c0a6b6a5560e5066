import { describe, expect, it } from 'vitest'
import { configKeys } from '../../src/config/schema.ts'
import { errorTable } from '../../src/fronts/error-table.ts'
import { rows, section } from './markdown.ts'

describe('tables in the documentation', () => {
  it('the configuration table of README.md has every key, in order, as the schema has it', () => {
    expect(rows(section('README.md', 'Configuration'))).toEqual(
      configKeys.map(({ path, env, default: value, description }) => [
        `\`${path}\``,
        `\`${env}\``,
        String(value ?? '') === '' ? '' : `\`${value}\``,
        description,
      ]),
    )
  })

  it('the error table of docs/api.md has every code with its HTTP status', () => {
    expect(rows(section('docs/api.md', 'Errors')).map(([code, status]) => [code, status])).toEqual(
      Object.entries(errorTable).map(([code, { httpStatus }]) => [`\`${code}\``, String(httpStatus)]),
    )
  })
})
