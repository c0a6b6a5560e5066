import { RuleRequest } from '../rule-reply.ts'
import { KNOWN_BYTES_MAX, KNOWN_REQUESTS_MAX } from './limits.ts'

const OPENING_BRACE = 0x7b

/** Reads datagrams, and knows the requests of the last ones by their bytes: clients repeat themselves. */
export class RequestReader {
  readonly #known = new Map<string, RuleRequest>()

  /** As `decodeRequest`. Hot path. */
  read(datagram: Buffer): RuleRequest | undefined {
    if (datagram.length > KNOWN_BYTES_MAX) return decodeRequest(datagram)
    const bytes = datagram.toString('latin1')
    const known = this.#known.get(bytes)
    if (known !== undefined) return known
    const request = decodeRequest(datagram)
    // One with a `seq` does not come again.
    if (request !== undefined && request.seq === undefined) {
      if (this.#known.size === KNOWN_REQUESTS_MAX) this.#known.clear()
      this.#known.set(bytes, request)
    }
    return request
  }
}

/** The request in a datagram, or undefined where that is not a JSON object, or is a reply: then nobody gets an answer. */
export function decodeRequest(datagram: Buffer): RuleRequest | undefined {
  if (datagram[0] !== OPENING_BRACE && datagram.toString('latin1', 0, 64).trimStart()[0] !== '{')
    return undefined
  const json = datagram.toString()
  let object: Record<string, unknown>
  try {
    object = JSON.parse(json)
  } catch {
    return undefined
  }
  // A reply, sent here with a forged address: answered, two servers would go on asking each other for ids for ever.
  if (typeof object.code === 'number') return undefined
  return new RuleRequest({
    action: textOf(object.action),
    rule_name: textOf(object.rule_name),
    app_name: textOf(object.app_name),
    salt: textOf(object.salt),
    seq: jsonOf(object.seq, json),
  })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** JSON.parse rounds numbers: one that it may have rounded is cut out of the datagram. */
function jsonOf(seq: unknown, json: string): string | undefined {
  if (seq === undefined) return undefined
  if (typeof seq === 'string' || Number.isSafeInteger(seq)) return JSON.stringify(seq)
  return lastMember(json, 'seq')
}

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+)/y

/** The text of the last member of this name of a JSON object, which must be valid. */
function lastMember(json: string, name: string): string | undefined {
  let depth = 0
  let isKey = false
  let key: unknown
  let start = -1
  let member: string | undefined
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(json); match !== null; match = TOKEN.exec(json)) {
    const token = match[1] as string
    const at = TOKEN.lastIndex - token.length
    if (depth === 1 && (token === ',' || token === '}') && key === name && start !== -1)
      member = json.slice(start, at).trim()
    if (token === '{' || token === '[') {
      depth++
      isKey = depth === 1
    } else if (token === '}' || token === ']') depth--
    else if (depth !== 1) continue
    else if (token === ',') {
      isKey = true
      start = -1
    } else if (token === ':') start = TOKEN.lastIndex
    else if (isKey) {
      key = JSON.parse(token)
      isKey = false
    }
  }
  return member
}
