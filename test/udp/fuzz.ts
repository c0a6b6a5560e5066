/** Datagrams that a hostile or broken client may send: half of them near a valid request, half of them spoilt in some bytes. */
export function fuzzedDatagrams(random: () => number): () => Buffer {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T
  const text = () =>
    pick([
      ...['get', 'create', 'monitor', 'task', 'order_id', 'a', '', 'ü', '\u0000', '\ud800', '"\\', '\n'],
      'x'.repeat(Math.floor(random() * 300)),
      '𝔸'.repeat(Math.floor(random() * 100)),
    ])
  const value = (depth = 0): unknown =>
    pick([
      text,
      () => random() * 10 ** Math.floor(random() * 40),
      () => null,
      () => (depth > 3 ? 1 : [value(depth + 1), value(depth + 1)]),
      () => {
        const inner = depth > 3 ? 2 : value(depth + 1)
        return { seq: inner, [text()]: inner, ['__proto__']: { action: 'get' } }
      },
    ])()
  const request = () => {
    const fields: Record<string, unknown> = {}
    for (const name of ['action', 'rule_name', 'app_name', 'salt', 'seq', text()])
      if (random() < 0.8) fields[name] = value()
    const valid = random() < 0.5 ? { action: 'get', rule_name: 'task', app_name: 'a' } : {}
    return Buffer.from(JSON.stringify({ ...valid, ...fields }))
  }
  const spoil = (bytes: Buffer) => {
    for (let i = 0; i < 1 + random() * 3; i++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    return random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
  }
  return () => (random() < 0.5 ? request() : spoil(request()))
}
