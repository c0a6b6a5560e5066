import { Agent, request } from 'node:http'
import { APPS, type Route, RULE, type StoreKind, TAGS } from '../fleet.ts'
import { ANSWER_MS_MAX, type Answer, type Client, streamName, tagStream } from './client.ts'

/** One request and what its answer, of status 200, says. */
interface Question {
  readonly path: string
  readonly read: (body: string) => Answer
}

const COUNT_MAX = 40

type Path = 'new' | 'alloc' | 'rule'

/** Asks over HTTP/1.1 on one connection that is kept alive. */
export class HttpClient implements Client {
  readonly route: Route
  readonly #url: string
  readonly #question: () => Question
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  /** `place` is who answers at `url`: an instance or nginx. */
  constructor(place: string, url: string, path: Path, store: StoreKind, random: () => number) {
    this.route = `${place}/${path}`
    this.#url = url
    this.#question = () => questions[path](store, random)
  }

  ask(): Promise<readonly Answer[]> {
    const { path, read } = this.#question()
    return new Promise((resolve) => {
      const lose = (error: NodeJS.ErrnoException) =>
        // Nothing listened there: nothing was asked.
        resolve([{ outcome: error.code === 'ECONNREFUSED' ? 'failed' : 'unknown' }])
      const asked = request(this.#url + path, { agent: this.#agent }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.on('error', lose)
        response.on('end', () => resolve([response.statusCode === 200 ? read(body) : { outcome: 'failed' }]))
      })
      asked.on('error', lose)
      asked.setTimeout(ANSWER_MS_MAX, () => asked.destroy(new Error('no answer')))
      asked.end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const questions: Readonly<Record<Path, (store: StoreKind, random: () => number) => Question>> = {
  new(store, random) {
    const stream = streamName(store, 'generator')
    const count = countOf(random)
    switch (Math.floor(random() * 3)) {
      case 0:
        return {
          path: `/new?format=text${and(count)}`,
          read: (body) => acknowledged(stream, body.trim().split('\n')),
        }
      case 1:
        return { path: `/new?format=string${and(count)}`, read: readNew(stream) }
      default:
        return { path: `/new${count === 1 ? '' : `?count=${count}`}`, read: readNew(stream) }
    }
  },
  alloc(store, random) {
    const tag = pick(TAGS, random)
    return {
      path: `/alloc?app_tag=${tag}${and(countOf(random))}`,
      read(body) {
        const { id, ids = [id] } = JSON.parse(body)
        return acknowledged(tagStream(store, tag), ids)
      },
    }
  },
  rule(store, random) {
    const app = pick(APPS, random)
    return {
      path: `/rule?rule_name=${RULE}&app_name=${app}${and(countOf(random))}`,
      read(body) {
        const { data, ids = [data] } = JSON.parse(body)
        return { outcome: 'acknowledged', rule: streamName(store, `${RULE} ${app}`), texts: ids }
      },
    }
  },
}

function readNew(stream: string): (body: string) => Answer {
  return (body) => {
    const { id, ids = [id] } = JSON.parse(body).data
    return acknowledged(stream, ids)
  }
}

function acknowledged(stream: string, ids: readonly (string | number)[]): Answer {
  return { outcome: 'acknowledged', stream, ids: ids.map(Number) }
}

function countOf(random: () => number): number {
  return random() < 0.7 ? 1 : 1 + Math.floor(random() * COUNT_MAX)
}

function and(count: number): string {
  return count === 1 ? '' : `&count=${count}`
}

function pick<T>(choices: readonly T[], random: () => number): T {
  return choices[Math.floor(random() * choices.length)] as T
}
