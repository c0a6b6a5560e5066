import type { Rules } from '../../rules/rules.ts'
import { answerRule, failure, type RuleReply, RuleRequest, statusOf } from '../rule-reply.ts'
import { acceptedFormat, type IdFormat, readIdRequest } from './id-request.ts'
import { errorHeaders, jsonHeaders, type Reply, textHeaders } from './reply.ts'

/**
 * Answers `/rule`: one formatted id, or `count` of them, or with `action=monitor` what the counter stands at. The body is that
 * of the UDP front; with `format=text` the ids alone.
 */
export async function answerRuleRequest(
  rules: Rules,
  query: string,
  accept: string | undefined,
  countMax: number,
): Promise<Reply> {
  const params = new URLSearchParams(query)
  const text = (name: string) => params.get(name) ?? undefined
  const seq = text('seq')
  const request = new RuleRequest({
    action: text('action'),
    rule_name: text('rule_name'),
    app_name: text('app_name'),
    salt: text('salt'),
    seq: seq && JSON.stringify(seq),
  })
  const format = params.get('format') === 'text' ? 'text' : acceptedFormat(accept)
  try {
    const { count } = readIdRequest(params, accept, countMax)
    // Without an action the request is for an id; the answer shows only what was sent.
    return toReply(await answerRule(rules, request, request.action ?? 'get', count), format)
  } catch (error) {
    return toReply(failure(request, error), format)
  }
}

function toReply(reply: RuleReply, format: IdFormat): Reply {
  const { body, text, ids, error } = reply
  const headers = error === undefined ? jsonHeaders : errorHeaders(error)
  const status = statusOf(reply)
  if (format !== 'text') return { status, headers, body, ids, error }
  return { status, headers: { ...headers, ...textHeaders }, body: `${text}\n`, ids, error }
}
