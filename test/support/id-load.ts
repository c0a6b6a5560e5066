import { connect } from 'node:net'

/**
 * Asks each of `urls` in turn for one id after the other over `connections` keep-alive connections, until `total`
 * answers have come, and notes how long each took in `latenciesMs`. Rejects at the first answer that is not an id. Speaks HTTP by hand: an HTTP client would be the
 * slower half of the test.
 */
export async function takeIds(
  urls: readonly string[],
  total: number,
  connections: number,
  latenciesMs: number[] = [],
): Promise<string[]> {
  const ids: string[] = []
  let asked = 0
  const run = (url: URL) =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host: url.hostname, port: Number(url.port) })
      const request = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`
      let answer = ''
      let askedMs = 0
      const ask = () => {
        askedMs = performance.now()
        if (asked++ < total) socket.write(request)
        else socket.end()
      }
      socket.setEncoding('latin1')
      socket.on('connect', ask)
      socket.on('error', reject)
      socket.on('close', () => resolve())
      socket.on('data', (chunk: string) => {
        answer += chunk
        const end = answer.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(answer)?.[1])
        if (end === -1 || answer.length < end + 4 + length) return
        const id = /^HTTP\/1\.1 200 .*(?:"id":|\r\n\r\n)(\d+)[}\n]*$/s.exec(answer)?.[1]
        if (id === undefined) return void socket.destroy(new Error(`not an id: ${answer}`))
        ids.push(id)
        latenciesMs.push(performance.now() - askedMs)
        answer = ''
        ask()
      })
    })
  await Promise.all(
    Array.from({ length: connections }, (_, i) => run(new URL(urls[i % urls.length] as string))),
  )
  return ids
}
