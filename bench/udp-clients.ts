/**
 * Clients that send one request and wait for its answer, over and over: `node udp-clients.js PORT SECONDS CLIENTS`.
 * Prints LoadFigures as JSON.
 */
import { createSocket } from 'node:dgram'

const [port, seconds, clients] = process.argv.slice(2).map(Number) as [number, number, number]

/** Far above any answer on loopback: what is not there by then is lost. */
const LOST_AFTER_MS = 500

const request = Buffer.from('{"action":"get","rule_name":"order_id","app_name":"bench"}')
const latenciesUs: number[] = []
let errors = 0
let isOver = false

function startClient(): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    let sentMs = 0
    let lost: NodeJS.Timeout
    const send = () => {
      if (isOver) {
        clearTimeout(lost)
        socket.close(() => resolve())
        return
      }
      sentMs = performance.now()
      lost.refresh()
      socket.send(request)
    }
    socket.on('message', (reply) => {
      latenciesUs.push((performance.now() - sentMs) * 1000)
      if (!reply.includes('"code":0')) errors++
      send()
    })
    socket.connect(port, '127.0.0.1', () => {
      lost = setTimeout(() => {
        errors++
        send()
      }, LOST_AFTER_MS)
      send()
    })
  })
}

const startedMs = performance.now()
setTimeout(() => {
  isOver = true
}, seconds * 1000)
await Promise.all(Array.from({ length: clients }, startClient))
const elapsedMs = performance.now() - startedMs
latenciesUs.sort((a, b) => a - b)
const at = (share: number) => latenciesUs[Math.floor(latenciesUs.length * share)] ?? Number.NaN
console.log(
  JSON.stringify({
    requests: latenciesUs.length,
    seconds: elapsedMs / 1000,
    p50Us: at(0.5),
    p99Us: at(0.99),
    errors,
  }),
)
