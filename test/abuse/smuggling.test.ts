import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus } from '../http/lane-corpus.ts'
import { HttpLoad } from '../support/http-load.ts'
import { Nginx } from '../support/nginx.ts'
import { until } from '../support/until.ts'
import { type AbusedInstance, startAbused } from './instance.ts'
import { exchange } from './raw.ts'

let instance: AbusedInstance
let nginx: Nginx

beforeAll(async () => {
  instance = await startAbused()
  // One instance three times: every connection of nginx to it is shared by honest clients and by those who smuggle.
  const { http } = instance.ports
  nginx = await Nginx.start([http, http, http])
})

afterAll(async () => {
  await nginx?.stop()
  await instance?.end()
})

/** Ends a connection, so that the answers to what came before it are all there. */
const SENTINEL = 'GET /rule?seq=sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const POST = 'POST /new HTTP/1.1\r\nHost: a\r\n'
const INNER = 'GET /alloc?app_tag=honest HTTP/1.1\r\nHost: inner\r\n\r\n'

/** What may be a body to one and a request to the other, besides what the corpus has. */
const desynchronising: readonly string[] = [
  `${POST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
  `${POST}Content-Length: ${INNER.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding: \x0bchunked\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding\t: chunked\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `${POST}X: a\nTransfer-Encoding: chunked\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `${POST}Content-Length: 5\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `${POST}Content-Length: 0${INNER.length}\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\na\r\n0\r\n\r\n${INNER}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n${INNER}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 99\r\n\r\n${INNER}`,
  `${POST}Expect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `GET /new HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `HEAD /new HTTP/1.1\r\nHost: a\r\n\r\n${INNER}`,
  `POST http://inner/new HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `GET /new%0d%0aHost:%20b%0d%0a%0d%0aGET%20/alloc HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /new?x=%0d%0a HTTP/1.1\r\nHost: a%0d%0a\r\n\r\n`,
  `GET /new HTTP/1.1\r\nHost: a\r\nConnection: Host, Content-Length, Transfer-Encoding\r\n\r\n`,
]

/** The ids in some answers, from where each stands first. */
function idsIn(answers: string): string[] {
  return answers.replace(/"id":"?\d+"?,"ids"/g, '').match(/(?<=[[,"]|"id":)\d+(?=[\],}"])/g) ?? []
}

describe('requests that are smuggled through nginx', () => {
  it('desynchronise nothing: each client gets the answers to its own requests, and no id comes twice (I1)', async () => {
    const port = Number(new URL(nginx.url).port)
    const honest = new HttpLoad(`${nginx.url}/new`, 8)
    await until(10_000, () => honest.ids.length > 100)
    const cases = [...corpus, ...desynchronising]
    const answers = await Promise.all(
      cases.map(async (bytes) => (await exchange(port, bytes + SENTINEL))[0] as string),
    )
    const asked = honest.ids.length
    await until(10_000, () => honest.ids.length > asked + 100)
    await honest.stop()

    expect(honest.failures).toEqual([])
    // To somebody else's request, or to one that was never sent: `HttpLoad` takes only ids of the generator, one at a time.
    const ids = [
      ...honest.ids,
      ...answers.flatMap((answer) => (/"resp_code"/.test(answer) ? [] : idsIn(answer))),
    ]
    expect(ids.length).toBeGreaterThan(honest.ids.length + 100)
    expect(new Set(ids).size, 'ids without repeats').toBe(ids.length)
    answers.forEach((answer, i) => {
      const requests = (cases[i] as string).match(/HTTP\/\d/g)?.length ?? 0
      const replies = answer.match(/^HTTP\/1\.1 (?!100)\d{3}/gm)?.length ?? 0
      expect(replies, `replies to ${JSON.stringify(cases[i])}`).toBeLessThanOrEqual(requests + 1)
    })
  })
})
