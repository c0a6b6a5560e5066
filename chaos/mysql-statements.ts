/** A packet: its length in 3 bytes, a number that starts at 0 with each command, and the payload. */
const HEADER_BYTES = 4
const COM_QUERY = 0x03

/** Reads the statements out of what a MySQL client sends without TLS, however the bytes are cut into chunks. */
export class StatementReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The statements that are complete with this chunk. */
  read(chunk: Buffer): string[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const statements: string[] = []
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUIntLE(0, 3)
      if (this.#rest.length < end) break
      // Packets of the login have other numbers than 0.
      if (this.#rest[3] === 0 && this.#rest[HEADER_BYTES] === COM_QUERY)
        statements.push(textOf(this.#rest.subarray(HEADER_BYTES + 1, end)))
      this.#rest = this.#rest.subarray(end)
    }
    return statements
  }
}

/** MySQL 8 clients send the number of query attributes, none, and of sets of them, one, before the text. */
function textOf(payload: Buffer): string {
  const hasAttributes = payload[0] === 0 && payload[1] === 1
  return payload.toString('utf8', hasAttributes ? 2 : 0)
}

/** Whether the first packet of an answer says OK: the statement took effect. */
export function isOk(answer: Buffer): boolean {
  return answer.length > HEADER_BYTES && answer[3] === 1 && answer[HEADER_BYTES] === 0x00
}
