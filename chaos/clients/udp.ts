import { createSocket } from 'node:dgram'
import { APPS, type Route, RULE, type StoreKind } from '../fleet.ts'
import { ANSWER_MS_MAX, type Answer, type Client, streamName } from './client.ts'

/** A lost datagram must not keep a client from asking on. */
const PATIENCE_MS = 100

/** Asks for formatted ids over UDP. What is answered late is handed over with later answers. */
export class UdpClient implements Client {
  readonly route: Route
  readonly #port: number
  readonly #store: StoreKind
  readonly #random: () => number
  readonly #socket = createSocket('udp4')
  /** Requests without an answer yet: for which app_name, and when they were sent. */
  readonly #open = new Map<number, { readonly app: string; readonly sentMs: number }>()
  #answers: Answer[] = []
  #wake: () => void = () => {}
  #seq = 0

  constructor(instance: { name: string; udpPort: number; store: StoreKind }, random: () => number) {
    this.route = `${instance.name}/udp`
    this.#port = instance.udpPort
    this.#store = instance.store
    this.#random = random
    this.#socket.on('message', (message) => this.#read(message))
  }

  async ask(): Promise<readonly Answer[]> {
    const seq = ++this.#seq
    const app = APPS[Math.floor(this.#random() * APPS.length)] as string
    this.#open.set(seq, { app, sentMs: performance.now() })
    const request = { action: 'get', rule_name: RULE, app_name: app, seq }
    this.#socket.send(JSON.stringify(request), this.#port, '127.0.0.1')
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    const lostMs = performance.now() - ANSWER_MS_MAX
    for (const [lost, { sentMs }] of this.#open) {
      if (sentMs > lostMs) break
      this.#open.delete(lost)
      this.#answers.push({ outcome: 'unknown' })
    }
    return this.#answers.splice(0)
  }

  close(): void {
    this.#socket.close()
  }

  #read(message: Buffer): void {
    const { seq, code, data } = JSON.parse(message.toString())
    const open = this.#open.get(seq)
    if (open === undefined) return
    this.#open.delete(seq)
    const rule = streamName(this.#store, `${RULE} ${open.app}`)
    this.#answers.push(code === 0 ? { outcome: 'acknowledged', rule, texts: [data] } : { outcome: 'failed' })
    this.#wake()
  }
}
