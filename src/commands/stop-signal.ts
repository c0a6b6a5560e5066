import { EXIT_RUNTIME } from './exit-codes.ts'

/** Resolves with the first signal that asks to stop; for a second one, `insist` is called. */
export function stopSignal(insist: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) insist()
      stopping = true
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

export function exitAtOnce(): never {
  process.exit(EXIT_RUNTIME)
}
