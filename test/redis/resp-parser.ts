/** One reply as nested arrays and texts; integers, nils and errors as texts with their type. */
export type Parsed = string | readonly Parsed[]

/**
 * Reads replies of RESP2 and RESP3, written from the specification alone and as strictly as it allows. Throws at
 * anything that is not a reply, and at a reply that is not whole.
 */
export function parseReplies(text: string): Parsed[] {
  let at = 0

  function line(): string {
    const end = text.indexOf('\r\n', at)
    if (end === -1) throw new Error(`no line end after ${at}`)
    const content = text.slice(at, end)
    if (/[\r\n]/.test(content)) throw new Error(`a line end inside ${JSON.stringify(content)}`)
    at = end + 2
    return content
  }

  function count(digits: string): number {
    if (!/^(0|[1-9]\d*)$/.test(digits)) throw new Error(`${JSON.stringify(digits)} is no length`)
    return Number(digits)
  }

  function body(length: number): string {
    const content = text.slice(at, at + length)
    if (content.length !== length || text.slice(at + length, at + length + 2) !== '\r\n')
      throw new Error(`a bulk of ${length} bytes does not end where it should`)
    at += length + 2
    return content
  }

  function reply(): Parsed {
    const head = line()
    const rest = head.slice(1)
    switch (head[0]) {
      case '+':
      case '-':
        return head
      case ':':
        if (!/^-?\d+$/.test(rest)) throw new Error(`${head} is no integer`)
        return head
      case '_':
        if (rest !== '') throw new Error(`${head} is no nil`)
        return 'nil'
      case '$':
        return rest === '-1' ? 'nil' : `$${body(count(rest))}`
      case '=':
        return `=${body(count(rest))}`
      case '*':
        return Array.from({ length: count(rest) }, reply)
      case '%':
        return Array.from({ length: 2 * count(rest) }, reply)
      default:
        throw new Error(`${JSON.stringify(head)} starts no reply`)
    }
  }

  const replies: Parsed[] = []
  while (at < text.length) replies.push(reply())
  return replies
}
