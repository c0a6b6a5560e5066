/** What the primary starts: one instance among several behind the same ports. */
import { exitAtOnce, stopSignal } from '../stop-signal.ts'
import { Member, send } from './member.ts'
import type { ToWorker } from './messages.ts'

// At once, so that a signal to the whole group finds somebody at home.
const signal = stopSignal(exitAtOnce)
// The primary reloads all workers, also where the whole group gets the signal.
process.on('SIGHUP', () => {})
process.once('message', async (message: ToWorker) => {
  if (message.type === 'start') process.exit(await new Member(message.config).run(signal))
})
send({ type: 'hello' })
