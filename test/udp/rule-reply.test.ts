import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { answerRule, failure, RuleRequest, statusOf } from '../../src/fronts/rule-reply.ts'
import type { Rules } from '../../src/rules/rules.ts'

const RULES = {
  create: async (...args: unknown[]) => args.join('/'),
  createMany: async (rule: string, app: string, salt: string, count: number) =>
    Array.from({ length: count }, (_, i) => [rule, app, salt, i].join('/')),
  monitor: async (rule: string) =>
    rule === 'r' ? { counter: 9_007_199_254_740_993n, nodeOffset: 3 } : undefined,
} as unknown as Rules

/** Rules whose every answer is this error. */
function failing(error: unknown): Rules {
  const fail = () => Promise.reject(error)
  return { create: fail, createMany: fail, monitor: fail } as unknown as Rules
}

function request(fields: Partial<RuleRequest> = {}): RuleRequest {
  return new RuleRequest({ action: 'get', rule_name: 'r', app_name: 'a', ...fields })
}

describe('the reply to a request for rules', () => {
  it.each(['get', 'create'])('to %s is an id', async (action) => {
    expect(await answerRule(RULES, request({ action, salt: 's"', seq: '1e400' }))).toEqual({
      body: `{"action":"${action}","app_name":"a","code":0,"data":"r/a/s\\"","message":"success","rule_name":"r","salt":"s\\"","seq":1e400}`,
      text: 'r/a/s"',
      ids: 1,
      error: undefined,
    })
  })

  it('is there at once where the id is', () => {
    const rules = { create: () => '7' } as unknown as Rules
    expect(answerRule(rules, request())).toMatchObject({ text: '7', ids: 1 })
  })

  it('has ids where several are asked for', async () => {
    expect(await answerRule(RULES, request(), 'get', 2)).toEqual({
      body: '{"action":"get","app_name":"a","code":0,"data":"r/a//0","ids":["r/a//0","r/a//1"],"message":"success","rule_name":"r"}',
      text: 'r/a//0\nr/a//1',
      ids: 2,
      error: undefined,
    })
  })

  it('I6: to monitor is the counter, exactly', async () => {
    expect(await answerRule(RULES, request({ action: 'monitor' }))).toEqual({
      body: '{"action":"monitor","app_name":"a","code":0,"data":{"counter":9007199254740993,"node_offset":3},"message":"ok","rule_name":"r"}',
      text: '9007199254740993',
      ids: 0,
      error: undefined,
    })
  })

  it('to a request that names no action is that of the front', async () => {
    const { body } = await answerRule(RULES, request({ action: undefined }), 'get')
    expect(body).toBe('{"app_name":"a","code":0,"data":"r/a/","message":"success","rule_name":"r"}')
  })

  it.each([
    [
      'no rule',
      { rule_name: undefined },
      '{"action":"get","app_name":"a","code":-1,"message":"BAD_REQUEST: rule_name',
    ],
    ['no app', { app_name: undefined }, '{"action":"get","code":-1,"message":"BAD_REQUEST: app_name'],
    ['no action', { action: undefined }, '{"app_name":"a","code":-1,"message":"BAD_REQUEST: action'],
    [
      'another action',
      { action: 'x' },
      '{"action":"x","app_name":"a","code":-1,"message":"BAD_REQUEST: action',
    ],
    [
      'an unknown counter',
      { action: 'monitor', rule_name: 'x' },
      '{"action":"monitor","app_name":"a","code":-1,"message":"not exist","rule_name":"x"}',
    ],
  ])('to %s is an error with the fields of the request', async (_, fields, start) => {
    const reply = await answerRule(RULES, request(fields))
    expect(reply.body.slice(0, start.length)).toBe(start)
    expect(JSON.parse(reply.body)).toMatchObject({ code: -1 })
    expect([reply.ids, reply.error?.code]).toEqual([
      0,
      reply.body.includes('BAD') ? 'BAD_REQUEST' : 'UNKNOWN_RULE',
    ])
  })

  it.each([
    ['UNKNOWN_RULE', 'no rule r', 'system error', 404],
    ['EXHAUSTED', 'no numbers left', 'EXHAUSTED: no numbers left', 503],
    ['RULE_FAILED', 'the "script"', 'RULE_FAILED: the \\"script\\"', 500],
  ] as const)('to what failed with %s tells why', async (code, message, told, status) => {
    const error = new SequenceError(code, message)
    for (const [action, count] of [
      ['get', undefined],
      ['get', 2],
      ['monitor', undefined],
    ] as const) {
      const reply = await answerRule(failing(error), request(), action, count)
      expect(reply).toEqual({
        body: `{"action":"get","app_name":"a","code":-1,"message":"${told}","rule_name":"r"}`,
        text: `${code}: ${message}`,
        ids: 0,
        error,
      })
      expect(statusOf(reply)).toBe(status)
    }
  })

  it('has the status of success with an id', async () => {
    expect(statusOf(await answerRule(RULES, request()))).toBe(200)
  })

  it('to a bug is none: it is thrown on', async () => {
    const bug = new TypeError('bug')
    await expect(answerRule(failing(bug), request())).rejects.toBe(bug)
    expect(() => failure(request(), bug)).toThrow(bug)
  })
})
