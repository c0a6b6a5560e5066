const BACKSLASH = 0x5c
const QUOTE = 0x22
const APOSTROPHE = 0x27

/** What isspace(3) takes for space. */
const SPACES = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20])

const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 }

/**
 * Splits the line of an inline command as redis-server's sdssplitargs does: by spaces; `"…"` with \n, \r, \t, \b, \a,
 * \xHH and \ before any other character; `'…'` with \' alone. A closing quote must be followed by a space or by the
 * end. The line ends at a NUL, as C's strings do. Undefined where quotes are not balanced.
 */
export function splitInline(bytes: Buffer): Buffer[] | undefined {
  const nul = bytes.indexOf(0)
  const line = nul === -1 ? bytes : bytes.subarray(0, nul)
  const args: Buffer[] = []
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at])) at++
    if (at === line.length) return args
    const arg: number[] = []
    while (at < line.length && !isSpace(line[at])) {
      const byte = line[at] as number
      if (byte !== QUOTE && byte !== APOSTROPHE) {
        arg.push(byte)
        at++
        continue
      }
      at = byte === QUOTE ? readQuoted(line, at + 1, arg) : readLiteral(line, at + 1, arg)
      if (at === -1 || (at < line.length && !isSpace(line[at]))) return undefined
    }
    args.push(Buffer.from(arg))
  }
}

/** Reads up to the closing `"`. Returns what comes after it, or -1 where there is none. */
function readQuoted(line: Buffer, from: number, arg: number[]): number {
  let at = from
  while (at < line.length) {
    const byte = line[at] as number
    if (byte === QUOTE) return at + 1
    if (byte !== BACKSLASH || at + 1 === line.length) {
      arg.push(byte)
      at++
      continue
    }
    const escaped = line[at + 1] as number
    const hex = /^x([0-9a-f]{2})$/i.exec(line.toString('latin1', at + 1, at + 4))?.[1]
    arg.push(
      hex === undefined ? (ESCAPES[String.fromCharCode(escaped)] ?? escaped) : Number.parseInt(hex, 16),
    )
    at += hex === undefined ? 2 : 4
  }
  return -1
}

/** Reads up to the closing `'`. Returns what comes after it, or -1 where there is none. */
function readLiteral(line: Buffer, from: number, arg: number[]): number {
  let at = from
  while (at < line.length) {
    const byte = line[at] as number
    if (byte === APOSTROPHE) return at + 1
    const escaped = byte === BACKSLASH && line[at + 1] === APOSTROPHE
    arg.push(escaped ? APOSTROPHE : byte)
    at += escaped ? 2 : 1
  }
  return -1
}

function isSpace(byte: number | undefined): boolean {
  return SPACES.has(byte as number)
}
