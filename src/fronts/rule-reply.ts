import { SequenceError } from '../core/errors.ts'
import type { CounterReport, Rules } from '../rules/rules.ts'
import { errorTable } from './error-table.ts'

/** The fields of a request. What is missing, or not a text, is undefined. */
interface RuleFields {
  readonly action: string | undefined
  readonly rule_name: string | undefined
  readonly app_name: string | undefined
  readonly salt: string | undefined
  /** JSON, as it was sent. */
  readonly seq: string | undefined
}

/** What a client asks of a rule, over either protocol. */
export class RuleRequest implements RuleFields {
  readonly action: string | undefined
  readonly rule_name: string | undefined
  readonly app_name: string | undefined
  readonly salt: string | undefined
  readonly seq: string | undefined
  /** What its answers repeat of it, before their own fields and behind them. */
  readonly #before: string
  readonly #behind: string

  constructor({ action, rule_name, app_name, salt, seq }: Partial<RuleFields> = {}) {
    this.action = action
    this.rule_name = rule_name
    this.app_name = app_name
    this.salt = salt
    this.seq = seq
    let before = '{'
    if (action !== undefined) before += `"action":${JSON.stringify(action)},`
    if (app_name !== undefined) before += `"app_name":${JSON.stringify(app_name)},`
    this.#before = before
    let behind = ''
    if (rule_name !== undefined) behind += `,"rule_name":${JSON.stringify(rule_name)}`
    if (salt !== undefined) behind += `,"salt":${JSON.stringify(salt)}`
    if (seq !== undefined) behind += `,"seq":${seq}`
    this.#behind = `${behind}}`
  }

  /** An answer as JSON, its fields sorted. Concatenated, not serialised: numbers above 2^53 stay exact. Hot path. */
  answer(message: string, code: 0 | -1, data?: string, ids?: string): string {
    let body = `${this.#before}"code":${code},`
    if (data !== undefined) body += `"data":${data},`
    if (ids !== undefined) body += `"ids":${ids},`
    return `${body}"message":${JSON.stringify(message)}${this.#behind}`
  }
}

export interface RuleReply {
  /** The answer as JSON. */
  readonly body: string
  /** What it holds, one a line: ids, or a counter; or else why there are none. */
  readonly text: string
  /** How many ids it hands out. */
  readonly ids: number
  readonly error: SequenceError | undefined
}

/**
 * Answers a request as the older server does: with the fields of the request, sorted. `count` ids are asked for where it is
 * given. At once where nothing must be waited for. Never rejects for anything but a bug.
 */
export function answerRule(
  rules: Rules,
  request: RuleRequest,
  action = request.action,
  count?: number,
): RuleReply | Promise<RuleReply> {
  const failed = (error: unknown) => failure(request, error)
  const { rule_name: ruleName, app_name: appName, salt = '' } = request
  try {
    if (ruleName === undefined) throw badRequest('rule_name is missing, or not a text')
    if (appName === undefined) throw badRequest('app_name is missing, or not a text')
    switch (action) {
      case 'get':
      case 'create':
        // Promises are chained and not awaited: this is on the way of every id.
        if (count === undefined) {
          const id = rules.create(ruleName, appName, salt)
          return typeof id === 'string'
            ? created(request, id)
            : id.then((late) => created(request, late), failed)
        }
        return rules
          .createMany(ruleName, appName, salt, count)
          .then(
            (ids) =>
              success(
                request.answer('success', 0, JSON.stringify(ids[0]), JSON.stringify(ids)),
                ids.join('\n'),
                ids.length,
              ),
            failed,
          )
      case 'monitor':
        return rules
          .monitor(ruleName, appName)
          .then((report) => (report === undefined ? failed(notExist()) : reported(request, report)), failed)
      default:
        throw badRequest('action must be get, create or monitor')
    }
  } catch (error) {
    return failed(error)
  }
}

function created(request: RuleRequest, id: string): RuleReply {
  return success(request.answer('success', 0, JSON.stringify(id)), id, 1)
}

function reported(request: RuleRequest, { counter, nodeOffset }: CounterReport): RuleReply {
  return success(
    request.answer('ok', 0, `{"counter":${counter},"node_offset":${nodeOffset}}`),
    String(counter),
    0,
  )
}

function badRequest(message: string): SequenceError {
  return new SequenceError('BAD_REQUEST', message)
}

const NOT_EXIST = 'not exist'

function notExist(): SequenceError {
  return new SequenceError('UNKNOWN_RULE', NOT_EXIST)
}

/** The answer to a request that failed. Anything but an operating error is a bug and is thrown on. */
export function failure(request: RuleRequest, error: unknown): RuleReply {
  if (!(error instanceof SequenceError)) throw error
  return {
    body: request.answer(messageOf(error), -1),
    text: `${error.code}: ${error.message}`,
    ids: 0,
    error,
  }
}

export function statusOf({ error }: RuleReply): number {
  return error === undefined ? 200 : errorTable[error.code].httpStatus
}

function success(body: string, text: string, ids: number): RuleReply {
  return { body, text, ids, error: undefined }
}

/** Where the older server has words of its own, those. */
function messageOf({ code, message }: SequenceError): string {
  if (code === 'UNKNOWN_RULE') return message === NOT_EXIST ? NOT_EXIST : 'system error'
  return `${code}: ${message}`
}
