import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Sandbox } from './sandbox.ts'
import { stepBack, threadFolder } from './system-thread.ts'

/** What a rule's thread runs. */
export interface ScriptSource {
  /** For messages: the path of the file. */
  readonly name: string
  readonly text: string
}

/**
 * What a thread tells: first that it has loaded the script, with the text of `Sandbox.settings` and its `threadFolder`, then what
 * `Sandbox.run` gives for each text of lines; or, once, why it is of no use.
 */
export type ScriptMessage =
  | { readonly loaded: string; readonly folder: string | undefined }
  | { readonly failed: string }
  | string

const port = parentPort as MessagePort
const send = (message: ScriptMessage) => port.postMessage(message)

try {
  const { name, text } = workerData as ScriptSource
  const sandbox = await Sandbox.open(name, text)
  // Not before: requests wait for a thread that is started anew.
  stepBack()
  send({ loaded: sandbox.settings(), folder: threadFolder() })
  port.on('message', (lines: string) => {
    try {
      send(sandbox.run(lines))
    } catch (error) {
      send({ failed: (error as Error).message })
    }
  })
} catch (error) {
  send({ failed: (error as Error).message })
}
