import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { findingsOf } from '../../src/core/finding.ts'
import { clipToIdSpace } from '../../src/core/lease.ts'

describe('an operating error', () => {
  it('has a code, a message, and what it comes from', () => {
    const cause = new Error('the socket broke')
    const error = new SequenceError('REGRESSED', 'went backwards', { cause, floor: 5n })
    expect([error.name, error.code, error.message, error.cause, error.floor]).toEqual([
      ...['SequenceError', 'REGRESSED', 'went backwards'],
      ...[cause, 5n],
    ])
  })

  it('has no cause where it is the first one', () => {
    for (const error of [new SequenceError('EXHAUSTED', 'no'), new SequenceError('EXHAUSTED', 'no', {})])
      expect(['cause' in error, error.floor]).toEqual([false, undefined])
  })
})

describe('I6: what is left of a lease inside the id space', () => {
  const END = 9_223_372_036_854_775_808n
  it.each([
    ['all of it', 5n, 10n, { start: 5n, end: 10n }],
    ['all of it, up to the last id', END - 5n, END, { start: END - 5n, end: END }],
    ['what lies below the end', END - 5n, END + 5n, { start: END - 5n, end: END }],
    ['nothing from the end on', END, END + 5n, undefined],
  ])('is %s', (_, start, end, expected) => {
    expect(clipToIdSpace({ start, end })).toEqual(expected)
  })
})

it('a finding has the reason of its table, unless all is well', () => {
  const { ok, bad } = findingsOf({ disk: { severities: ['warning'], why: 'it fills up' } })
  expect(ok('disk', '5 GB')).toEqual({ name: 'disk', severity: 'ok', what: '5 GB' })
  expect(bad('disk', 'warning', '5 MB', 'make room')).toEqual({
    name: 'disk',
    severity: 'warning',
    what: '5 MB',
    why: 'it fills up',
    advice: 'make room',
  })
})
