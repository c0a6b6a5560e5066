/** Abusers in a process of their own, which is nice to that of the honest clients. Started by main.ts alone. */
import { setPriority } from 'node:os'
import { Abusers } from './abusers.ts'
import type { Ports } from './honest.ts'

export interface Order {
  readonly numbers: Readonly<Record<string, number>>
  readonly ports: Ports
}

const NICE = 15

setPriority(NICE)
process.once('message', async ({ numbers, ports }: Order) => {
  await new Abusers(numbers, ports).arrived
  process.send?.('arrived')
})
