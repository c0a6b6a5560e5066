/** What the ceilings answer to everything: `/new` of a server that has handed out a hundred million ids. */
export const BODY = '{"code":0,"msg":"ok","data":{"id":123456789}}'

export const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'Content-Length': Buffer.byteLength(BODY),
}
