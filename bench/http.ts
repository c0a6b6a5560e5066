import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Contestant } from './contestant.ts'
import { httpLoad } from './load.ts'
import { seqsvrCommand } from './seqsvr.ts'
import type { Suite } from './suite.ts'

const CEILINGS = join(import.meta.dirname, 'ceilings')
/** What a process throws away after its start, and what V8 compiles then, is no request's doing: p99 is full of it for seconds. */
const WARM_UP_SECONDS = 4

const TOKEN = 'token-of-the-bench'

/** From here on ids have the nine digits of the ceilings' answers. */
const FIRST_ID = 100_000_000

/** A target, and how long each contestant's answer to it must be. */
interface Route {
  readonly path: '/new' | '/alloc'
  readonly query: string
  readonly answerBytes: number
}

const NEW: Route = { path: '/new', query: '', answerBytes: 202 }
const ALLOC: Route = { path: '/alloc', query: '?app_tag=T', answerBytes: 203 }

/** `GET /new` on the express lane and through Hono, against the two ceilings. */
export function newSuite(): Suite {
  return suite('http-new', NEW, 0.95)
}

/** The same with `GET /alloc`. */
export function allocSuite(): Suite {
  return suite('http-alloc', ALLOC, 0.9)
}

function suite(name: string, route: Route, aim: number): Suite {
  const target = route.path + route.query
  return {
    name,
    title: `GET ${target}`,
    load: httpLoad(target, 64),
    contestants: httpContestants(route),
    ceilings: ['node:net', 'node:http'],
    warmUpSeconds: WARM_UP_SECONDS,
    aim: `requests/s of seqsvr at least ${aim} of node:net's, of seqsvr through Hono at least 0.9 of node:http's`,
  }
}

export function httpContestants(route = NEW): Contestant[] {
  return [
    ceiling('node:net', 'net-server.js', route),
    ceiling('node:http', 'http-server.js', route),
    seqsvr('seqsvr', route, {}),
    seqsvr('seqsvr, through Hono', route, { SEQSVR_HTTP_EXPRESS_LANE: 'false' }),
  ]
}

function ceiling(name: string, script: string, route: Route): Contestant {
  return {
    name,
    command: (port) => ({
      argv: [process.execPath, join(CEILINGS, script)],
      env: { PORT: String(port), ROUTE: route.path },
    }),
    probe: (port) => answers(port, route),
  }
}

function seqsvr(name: string, route: Route, env: Readonly<Record<string, string>>): Contestant {
  return {
    name,
    command: (port, directory) => seqsvrCommand(port, directory, { SEQSVR_ADMIN_TOKEN: TOKEN, ...env }),
    async probe(port) {
      await administer(port, 'sequences', { name: 'T', start: FIRST_ID })
      await administer(port, 'advance', { by: FIRST_ID })
      return answers(port, route)
    },
  }
}

/** Whether its answer has the length of everybody's: then nobody is faster for saying less. */
async function answers(port: number, { path, query, answerBytes }: Route): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(`GET ${path}${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.length === answerBytes
  } finally {
    socket.destroy()
  }
}

async function administer(port: number, task: string, body: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/admin/${task}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
}
