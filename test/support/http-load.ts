import { Agent, request } from 'node:http'

/** What keep-alive connections that ask for one id after the other have seen. */
export class HttpLoad {
  readonly ids: string[] = []
  /** What went wrong, in words: broken connections and answers that are not ids. */
  readonly failures: string[] = []
  readonly #agent: Agent
  readonly #connections: Promise<void>[]
  #stopping = false

  /** Starts to ask `url` for ids on each of `connections` connections. */
  constructor(url: string, connections: number, method: 'GET' | 'POST' = 'GET') {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    this.#connections = Array.from({ length: connections }, () => this.#askOnAndOn(url, method))
  }

  /** Lets the open requests end. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#connections)
    this.#agent.destroy()
  }

  async #askOnAndOn(url: string, method: string): Promise<void> {
    while (!this.#stopping) {
      try {
        const { status, body } = await this.#ask(url, method)
        // By hand: JSON.parse rounds ids above 2^53.
        const id = /^\{"code":0,"msg":"ok","data":\{"id":(\d+)\}\}$/.exec(body)?.[1]
        if (status === 200 && id !== undefined) this.ids.push(id)
        else this.failures.push(`${status} ${body}`)
      } catch (error) {
        this.failures.push(String(error))
      }
    }
  }

  #ask(url: string, method: string): Promise<{ status: number | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      request(url, { method, agent: this.#agent }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode, body }))
        response.on('error', reject)
      })
        .on('error', reject)
        .end()
    })
  }
}
