import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Answerer = (response: ServerResponse, request: IncomingMessage) => void

export interface ScriptedServer {
  readonly url: string
  /** The targets that it was asked for, in order. */
  readonly targets: readonly string[]
}

/** A server that answers as `answer` says, for what a real one does not do on command. */
export async function startScriptedServer(answer: Answerer): Promise<ScriptedServer> {
  const targets: string[] = []
  const server = createServer((request, response) => {
    targets.push(request.url as string)
    answer(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets }
}

/** Answers with the next `count` ids in a row, starting at `next.id`, as seqsvr does. */
export function countingFrom(next: { id: number }): Answerer {
  return (response, request) => {
    const count = Number(new URL(request.url as string, 'http://127.0.0.1').searchParams.get('count'))
    let body = ''
    for (let i = 0; i < count; i++) body += `${next.id++}\n`
    response.end(body)
  }
}

/** Takes the first of `answers` for the first request, and so on; the last of them from then on. */
export function inTurn(...answers: [Answerer, ...Answerer[]]): Answerer {
  let asked = 0
  return (response, request) =>
    (answers[Math.min(asked++, answers.length - 1)] as Answerer)(response, request)
}

export function answering(status: number, body: string, headers: Record<string, string> = {}): Answerer {
  return (response) => response.writeHead(status, headers).end(body)
}
