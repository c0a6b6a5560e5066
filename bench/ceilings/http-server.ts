/** The ceiling of Node's HTTP server: the same fixed response to every request. */
import { createServer } from 'node:http'
import { BODY, HEADERS } from './answer.ts'

createServer((_request, response) => {
  response.writeHead(200, HEADERS)
  response.end(BODY)
}).listen(Number(process.env.PORT), '127.0.0.1')
