/**
 * What the ceilings answer to everything: byte for byte as many as seqsvr, with an id of nine digits. `ROUTE` says for
 * which route.
 */
export const BODY =
  process.env.ROUTE === '/new'
    ? '{"code":0,"msg":"ok","data":{"id":123456789}}'
    : '{"resp_code":0,"msg":"success","id":123456789}'

export const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  Connection: 'keep-alive',
  'Content-Length': Buffer.byteLength(BODY),
}
