import { failureBody, jsonHeaders, RETRY_AFTER_S, type Reply } from './reply.ts'

/** Why an instance should get no requests now, in words; undefined when it should. */
export type Readiness = () => string | undefined

/** `/livez`: the process answers. It never asks the store, so that no outage of the store restarts instances. */
export function answerLivez(): Reply {
  return { status: 200, headers: jsonHeaders, body: '{"code":0,"msg":"ok","data":null}' }
}

/** `/readyz`: 503 while a load balancer should send requests elsewhere. */
export function answerReadyz(readiness: Readiness): Reply {
  const reason = readiness()
  if (reason === undefined)
    return { status: 200, headers: jsonHeaders, body: '{"code":0,"msg":"ok","data":null}' }
  return { status: 503, headers: { ...jsonHeaders, 'retry-after': RETRY_AFTER_S }, body: failureBody(reason) }
}
